// The bundles for Claude Desktop: packed twice, unpacked and started as Desktop does it.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getMcpConfigForManifest } from "@anthropic-ai/mcpb/node";
import { bundleLimitBytes, checkSize, packBundles } from "../build/bundle.ts";
import { connect, type Peer } from "./support/peer.ts";
import { get, relayBinary, type Sandbox, sandbox, sendAll } from "./support/sandbox.ts";

const names = ["relay-macos.mcpb", "relay-windows.mcpb", "relay-linux.mcpb"];
const host = `relay-linux-${process.arch}`;
const canPack = process.platform === "linux" && Bun.which("xz") !== null;

/** The six binaries: small scripts, but for the one of this machine, which may be relay itself. */
function binaries(folder: string, isReal: boolean): string {
  mkdirSync(folder);
  const run = `#!/bin/sh\nexec ${relayBinary} "$@"\n`;
  for (const cpu of ["x64", "arm64"]) {
    writeFileSync(join(folder, `relay-linux-${cpu}`), `${run}# Linux ${cpu}\n`, { mode: 0o755 });
    writeFileSync(join(folder, `relay-darwin-${cpu}`), `${run}# macOS ${cpu}\n`, { mode: 0o755 });
    writeFileSync(join(folder, `relay-windows-${cpu}.exe`), `Windows ${cpu}\n`);
  }
  if (isReal) {
    rmSync(join(folder, host));
    symlinkSync(relayBinary, join(folder, host));
  }
  return folder;
}

let scratch = "";
const real = () => join(scratch, "real");
const small = () => join(scratch, "small");

beforeAll(async () => {
  if (!canPack) return;
  scratch = mkdtempSync(join(tmpdir(), "relay-test-bundles-"));
  const options = { version: "9.8.7", hasty: true };
  await packBundles({ ...options, binariesDir: binaries(join(scratch, "one"), true), outDir: real() });
  await packBundles({ ...options, binariesDir: binaries(join(scratch, "two"), false), outDir: small() });
}, 300_000);

afterAll(() => rmSync(scratch || join(tmpdir(), "relay-test-nothing"), { recursive: true, force: true }));

/** A bundle as Claude Desktop keeps it, in a path with a space. */
interface Installed {
  folder: string;
  manifest: Parameters<typeof getMcpConfigForManifest>[0]["manifest"];
  /** The command line that Desktop makes of the manifest and of what the person set. */
  start(userConfig?: Record<string, string>): Promise<{ command: string; args: string[] }>;
}

function mcpb(box: Sandbox, ...args: string[]) {
  const program = join(import.meta.dir, "../node_modules/@anthropic-ai/mcpb/dist/cli/cli.js");
  return box.run([process.execPath, program, ...args]);
}

async function install(box: Sandbox, bundle: string): Promise<Installed> {
  const folder = join(box.home, ".config/Claude/Claude Extensions/local.mcpb.relay-developers.relay");
  expect((await mcpb(box, "unpack", bundle, folder)).status).toBe(0);
  const manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
  return {
    folder,
    manifest,
    async start(userConfig = {}) {
      const options = { manifest, extensionPath: folder, systemDirs: {}, userConfig, pathSeparator: "/" };
      const { command = "", args = [] } = (await getMcpConfigForManifest(options)) ?? {};
      return { command, args };
    },
  };
}

/** Takes away the execute bits, as Desktop does. */
function loseBits({ folder }: Installed): void {
  for (const name of readdirSync(join(folder, "server"))) chmodSync(join(folder, "server", name), 0o600);
}

/** Puts a program in the place of the system's own, where the launcher finds it first. */
function fake(box: Sandbox, name: string, script: string): void {
  writeFileSync(join(box.programs, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

const systemProgram = (name: string) => Bun.which(name, { PATH: "/usr/bin:/bin" });

const fakeProcessor = (box: Sandbox, system: string, cpu: string) =>
  fake(box, "uname", `case $1 in -s) echo ${system} ;; *) echo ${cpu} ;; esac`);

async function open(box: Sandbox, installed: Installed, userConfig?: Record<string, string>): Promise<Peer> {
  return connect(box, { ...(await installed.start(userConfig)), name: "claude-ai", version: "0.1.0" });
}

/** A message from Desktop to Code, and one back. */
async function expectConversation(box: Sandbox, peer: Peer): Promise<void> {
  await peer.send("from the bundle");
  expect((await get(box, "code")).messages.map(({ message }) => message)).toContain("from the bundle");
  await sendAll(box, "desktop", ["to the bundle"]);
  expect(await peer.fetch()).toContain("to the bundle");
}

// root may change what it likes, wherever it is
const refuseChanges = (box: Sandbox) =>
  fake(box, "chmod", `case $2 in *Extensions*) exit 1 ;; esac\nexec /bin/chmod "$@"`);

const unset = `\${user_config.sound}`;

const cached = (box: Sandbox) => join(box.home, ".cache/relay");

describe.skipIf(!canPack)("the bundle for this machine", () => {
  test("starts the real relay, in a path with spaces", async () => {
    await using box = sandbox();
    const installed = await install(box, join(real(), "relay-linux.mcpb"));
    const peer = await open(box, installed);
    await expectConversation(box, peer);
    expect(readFileSync(`/proc/${peer.pid}/cmdline`, "utf8")).toStartWith(
      `${join(installed.folder, `server/relay-${process.arch}`)}\0--client\0desktop\0--sound=default\0`,
    );
  });

  test("starts although the execute bits are lost, without a copy", async () => {
    await using box = sandbox();
    const installed = await install(box, join(real(), "relay-linux.mcpb"));
    loseBits(installed);
    await expectConversation(box, await open(box, installed));
    expect(existsSync(cached(box))).toBe(false);
  });

  test("starts from a folder where nothing can be changed", async () => {
    await using box = sandbox();
    const installed = await install(box, join(real(), "relay-linux.mcpb"));
    loseBits(installed);
    refuseChanges(box);
    const peer = await open(box, installed);
    await expectConversation(box, peer);
    expect(readFileSync(`/proc/${peer.pid}/cmdline`, "utf8")).toStartWith(cached(box));
  });

  test("lists what it offers, as the manifest does", async () => {
    await using box = sandbox();
    const installed = await install(box, join(real(), "relay-linux.mcpb"));
    const { client } = await open(box, installed);
    const { tools } = await client.listTools();
    const { prompts } = await client.listPrompts();
    const short = (list: { name: string; description?: string | undefined }[]) =>
      list.map(({ name, description }) => ({ name, description }));
    expect(short(tools).length).toBe(3);
    expect(installed.manifest.tools).toEqual(short(tools) as never);
    expect(short((installed.manifest.prompts ?? []) as never)).toEqual(short(prompts));
  });

  test.each([
    ["nothing set", {}, "--sound=default"],
    ["an empty setting", { sound: "" }, "--sound="],
    ["a sound", { sound: "Glass 2" }, "--sound=Glass 2"],
    ["no sound", { sound: "off" }, "--sound=off"],
    ["a setting that Desktop left as it stands", { sound: unset }, `--sound=${unset}`],
  ] as [string, Record<string, string>, string][])("starts with %s", async (_name, userConfig, argument) => {
    await using box = sandbox();
    const installed = await install(box, join(small(), "relay-linux.mcpb"));
    expect((await installed.start(userConfig)).args).toContain(argument);
    expect((await (await open(box, installed, userConfig)).client.listTools()).tools.length).toBe(3);
  });
});

const shells = ["dash", "bash", "busybox sh", "zsh --emulate sh"].flatMap((line) => {
  const [program = "", ...args] = line.split(" ");
  const found = Bun.which(program);
  return found ? [[line, [found, ...args]] as const] : [];
});

describe.skipIf(!canPack).each(shells)("the launcher in %s", (_name, shell) => {
  const run = async (box: Sandbox, { folder }: Installed, env: Record<string, string> = {}) =>
    box.run([...shell, join(folder, "server/launch.sh"), "--version"], { env });
  const version = expect.stringMatching(/^\d+\.\d+\.\d+\n$/);
  const ran = { status: 0, stdout: version, stderr: "" };

  test("runs a copy of the person's own where nothing can be changed, and forgets the older ones", async () => {
    await using box = sandbox();
    const installed = await install(box, join(small(), "relay-linux.mcpb"));
    loseBits(installed);
    fakeProcessor(box, "Linux", "x86_64");
    refuseChanges(box);
    mkdirSync(cached(box), { recursive: true });
    for (const name of ["relay-0.0.1-0-x64", "relay-0.0.1-0-arm64", "relay-0.0.2-0-x64.123", "else"])
      writeFileSync(join(cached(box), name), "");
    expect(await run(box, installed)).toEqual(ran as never);
    const copies = readdirSync(cached(box)).sort();
    expect(copies).toEqual([
      "else",
      "relay-0.0.2-0-x64.123",
      expect.stringMatching(/^relay-9\.8\.7-[0-9a-f]{12}-x64$/),
    ]);
    const copy = join(cached(box), copies[2] ?? "");
    expect(readFileSync(copy).equals(readFileSync(join(installed.folder, "server/relay-x64")))).toBe(true);
    fake(box, "mv", "exit 1"); // a copy that is there is run
    expect(await run(box, installed)).toEqual(ran as never);
  });

  test("says what to do where no copy can be made", async () => {
    await using box = sandbox();
    const installed = await install(box, join(small(), "relay-linux.mcpb"));
    loseBits(installed);
    fakeProcessor(box, "Linux", "x86_64");
    fake(box, "chmod", "exit 1");
    const { status, stdout, stderr } = await run(box, installed);
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toBe(
      `relay: cannot make a copy that runs in ${cached(box)}. Make that folder writable, or install relay with install.sh.\n`,
    );
    expect(readdirSync(cached(box))).toEqual([]);
  });

  test("unpacks the program for ARM beside itself, once, with xz or Python", async () => {
    for (const unpacker of ["xz", "python3"].filter(systemProgram)) {
      await using box = sandbox();
      const installed = await install(box, join(small(), "relay-linux.mcpb"));
      loseBits(installed);
      fakeProcessor(box, "Linux", "aarch64");
      const tools = ["cat", "chmod", "mkdir", "mv", "rm", unpacker];
      for (const tool of tools) symlinkSync(systemProgram(tool) ?? "", join(box.programs, tool));
      const PATH = box.programs;
      const both = await Promise.all([run(box, installed, { PATH }), run(box, installed, { PATH })]);
      expect(both).toEqual([ran, ran] as never);
      expect(readdirSync(join(installed.folder, "server")).sort()).toEqual([
        "launch.sh",
        "relay-arm64",
        "relay-arm64.xz",
        "relay-x64",
      ]);
      expect(readFileSync(join(installed.folder, "server/relay-arm64"), "utf8")).toContain("Linux arm64");
      rmSync(join(box.programs, unpacker));
      expect(await run(box, installed, { PATH })).toEqual(ran as never);
    }
  });

  test("says what is missing where nothing unpacks it", async () => {
    await using box = sandbox();
    const installed = await install(box, join(small(), "relay-linux.mcpb"));
    fakeProcessor(box, "Linux", "aarch64");
    const { status, stderr } = await run(box, installed, { PATH: box.programs });
    expect([status, stderr]).toEqual([
      1,
      "relay: xz is not there, which unpacks relay for arm64. Install it (the package xz-utils or xz).\n",
    ]);
  });

  test("chooses on macOS, where copies have another folder", async () => {
    await using box = sandbox();
    const installed = await install(box, join(small(), "relay-macos.mcpb"));
    loseBits(installed);
    refuseChanges(box);
    for (const [told, cpu] of [
      ["arm64", "arm64"],
      ["x86_64", "x64"],
    ] as const) {
      fakeProcessor(box, "Darwin", told);
      expect(await run(box, installed)).toEqual(ran as never);
      const [copy = ""] = readdirSync(join(box.home, "Library/Caches/relay"));
      expect(copy).toEndWith(cpu);
      expect(readFileSync(join(box.home, "Library/Caches/relay", copy), "utf8")).toContain(`macOS ${cpu}`);
    }
  });

  test("names a processor that has no program", async () => {
    await using box = sandbox();
    const installed = await install(box, join(small(), "relay-linux.mcpb"));
    fakeProcessor(box, "Linux", "riscv64");
    const { status, stderr } = await run(box, installed);
    expect([status, stderr]).toEqual([
      1,
      "relay: this bundle has no program for the processor riscv64. It has x64 and arm64.\n",
    ]);
  });
});

describe.skipIf(!canPack)("every bundle", () => {
  test("is the same every time", async () => {
    await using box = sandbox();
    const options = { version: "9.8.7", binariesDir: join(scratch, "two") };
    const outputs = ["a", "b"].map((name) => join(box.home, name));
    for (const outDir of outputs) {
      const paths = names.map((name) => join(outDir, name));
      expect(await packBundles({ ...options, outDir })).toEqual(paths);
    }
    for (const name of names) {
      const [a, b] = outputs.map((folder) => readFileSync(join(folder, name)));
      expect(a?.equals(b ?? Buffer.alloc(0))).toBe(true);
    }
  });

  test.each(names)("%s passes mcpb validate and pack", async (name) => {
    await using box = sandbox();
    const { folder, manifest } = await install(box, join(small(), name));
    const { status, stdout } = await mcpb(box, "validate", folder);
    expect([status, stdout]).toEqual([0, expect.stringContaining("Manifest schema validation passes!")]);
    expect(stdout).toContain("Icon validation passed");
    const packed = join(box.home, "packed.mcpb");
    expect((await mcpb(box, "pack", folder, packed)).status).toBe(0);
    expect((await mcpb(box, "info", packed)).status).toBe(0);
    expect(manifest.version).toBe("9.8.7");
    writeFileSync(join(folder, "manifest.json"), JSON.stringify({ ...manifest, server: undefined }));
    expect((await mcpb(box, "validate", folder)).status).toBe(1);
  });

  test("is at most 100 MB", () => {
    checkSize("relay.mcpb", bundleLimitBytes);
    expect(() => checkSize("relay.mcpb", 106_800_000)).toThrow(
      "relay.mcpb is 106.8 MB; the limit is 100 MB.",
    );
  });
});

describe.skipIf(!canPack)("the bundle for Windows", () => {
  test("has relay for x64 as it is, and for ARM as Windows' own tar unpacks it", async () => {
    await using box = sandbox();
    const { folder, start } = await install(box, join(small(), "relay-windows.mcpb"));
    const server = join(folder, "server");
    expect(readdirSync(server).sort()).toEqual(["launch.cmd", "relay-arm64.tar.xz", "relay-x64.exe"]);
    expect(readFileSync(join(server, "relay-x64.exe"), "utf8")).toBe("Windows x64\n");
    await box.run(["tar", "-xf", join(server, "relay-arm64.tar.xz"), "-C", box.home]);
    expect(readFileSync(join(box.home, "relay-arm64.exe"), "utf8")).toBe("Windows arm64\n");
    expect(readFileSync(join(server, "launch.cmd"), "utf8")).not.toMatch(/[^\r]\n/);
    expect(await start()).toEqual({
      command: "cmd.exe",
      args: ["/d", "/c", "call", `${folder}\\server\\launch.cmd`, "--client", "desktop", "--sound=default"],
    });
  });

  // wine's own shell stands for relay, and says what reached it
  const shell = ["/usr/lib/x86_64-linux-gnu/wine", "/usr/lib/wine", "/usr/lib64/wine"]
    .map((folder) => join(folder, "x86_64-windows/cmd.exe"))
    .find(existsSync);
  test.skipIf(!Bun.which("wine") || !shell)(
    "starts it through cmd.exe, in a path with spaces and signs, and knows a Windows for ARM",
    async () => {
      await using box = sandbox();
      const { folder } = await install(box, join(small(), "relay-windows.mcpb"));
      const server = join(box.home, "Claude Extensions (a & b)");
      mkdirSync(server);
      for (const name of readdirSync(join(folder, "server")))
        writeFileSync(join(server, name), readFileSync(join(folder, "server", name)));
      const program = readFileSync(shell ?? "");
      writeFileSync(join(server, "relay-x64.exe"), program);
      const wine = { WINEPREFIX: join(box.home, "wine"), WINEDEBUG: "-all" };
      box.defer(async () => void (await box.run(["wineserver", "-k", "-w"], { env: wine })));
      const launch = (...before: string[]) => {
        const call = ["call", `Z:${server.replaceAll("/", "\\")}\\launch.cmd`];
        const words = ["/d", "/c", "echo", "it", "ran&", "exit", "7"];
        return box.run(["wine", "cmd.exe", "/d", "/c", ...before, ...call, ...words], {
          env: wine,
          stdin: "",
        });
      };
      const arm = ["set", "PROCESSOR_ARCHITECTURE=ARM64&&"];
      const expectRun = async (...before: string[]) => {
        const { status, stdout } = await launch(...before);
        expect([before, status, stdout.trim()]).toEqual([before, 7, "it ran"]);
      };
      await expectRun();
      await expectRun(...arm); // wine has no tar, so the other one runs
      expect(readdirSync(server).sort()).toEqual(["launch.cmd", "relay-arm64.tar.xz", "relay-x64.exe"]);
      writeFileSync(join(server, "relay-arm64.exe"), program);
      rmSync(join(server, "relay-x64.exe"));
      await expectRun(...arm);
      expect((await launch()).status).not.toBe(7);
    },
    120_000,
  );
});
