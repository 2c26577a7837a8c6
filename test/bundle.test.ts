// The bundles for Claude Desktop: packed, unpacked and started as Desktop does it. The release workflow starts the one for
// Windows, on Windows.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  cpSync,
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
import { unzipSync } from "fflate";
import { bundleLimitBytes, checkSize, packBundles } from "../build/bundle.ts";
import { connect, type Peer } from "./support/peer.ts";
import { get, relayBinary, type Sandbox, sandbox, sendAll } from "./support/sandbox.ts";

const names = ["relay-macos.mcpb", "relay-windows.mcpb", "relay-linux.mcpb"];
const canPack = process.platform === "linux" && Bun.which("xz") !== null;
const scratch = mkdtempSync(join(tmpdir(), "relay-test-bundles-"));
const binaries = join(scratch, "binaries");
const bundles = join(scratch, "bundles");

/** Six small programs stand for the binaries; those of Linux and macOS become the real relay. */
beforeAll(async () => {
  for (const folder of [binaries, bundles]) mkdirSync(folder);
  const run = `#!/bin/sh\nexec ${relayBinary} "$@"\n`;
  for (const cpu of ["x64", "arm64"]) {
    writeFileSync(join(binaries, `relay-linux-${cpu}`), `${run}# Linux ${cpu}\n`, { mode: 0o755 });
    writeFileSync(join(binaries, `relay-darwin-${cpu}`), `${run}# macOS ${cpu}\n`, { mode: 0o755 });
    writeFileSync(join(binaries, `relay-windows-${cpu}.exe`), `Windows ${cpu}\n`);
  }
  if (canPack) await packBundles("9.8.7", binaries, bundles);
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A bundle as Claude Desktop keeps it: in a path with a space, and without execute bits. */
interface Installed {
  folder: string;
  server: string;
  manifest: Parameters<typeof getMcpConfigForManifest>[0]["manifest"];
  /** The command line that Desktop makes of the manifest and the person's settings. */
  start(userConfig?: Record<string, string>): Promise<{ command: string; args: string[] }>;
}

function install(box: Sandbox, name: string): Installed {
  const folder = join(box.home, ".config/Claude/Claude Extensions/local.mcpb.relay-developers.relay");
  const server = join(folder, "server");
  mkdirSync(server, { recursive: true });
  for (const [path, data] of Object.entries(unzipSync(readFileSync(join(bundles, name)))))
    writeFileSync(join(folder, path), data, { mode: 0o600 });
  const manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
  return {
    folder,
    server,
    manifest,
    async start(userConfig = {}) {
      const options = { manifest, extensionPath: folder, systemDirs: {}, userConfig, pathSeparator: "/" };
      const { command = "", args = [] } = (await getMcpConfigForManifest(options)) ?? {};
      return { command, args };
    },
  };
}

async function open(box: Sandbox, installed: Installed, userConfig?: Record<string, string>): Promise<Peer> {
  return connect(box, { ...(await installed.start(userConfig)), name: "claude-ai", version: "0.1.0" });
}

/** Puts a program in the place of the system's own, where the launcher finds it first. */
function fake(box: Sandbox, name: string, script: string): void {
  writeFileSync(join(box.programs, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

const fakeProcessor = (box: Sandbox, system: string, cpu: string) =>
  fake(box, "uname", `case $1 in -s) echo ${system} ;; *) echo ${cpu} ;; esac`);

// root may change every file
const refuseChanges = (box: Sandbox) =>
  fake(box, "chmod", `case $2 in *Extensions*) exit 1 ;; esac\nexec /bin/chmod "$@"`);

const systemProgram = (name: string) => Bun.which(name, { PATH: "/usr/bin:/bin" });

const cacheOf = (box: Sandbox) => join(box.home, ".cache/relay");

describe.skipIf(!canPack)("the bundle for this machine", () => {
  test("becomes relay, in a path with spaces and without execute bits, and makes no copy", async () => {
    await using box = sandbox();
    const installed = install(box, "relay-linux.mcpb");
    const program = join(installed.server, `relay-${process.arch}`);
    cpSync(relayBinary, program);
    const desktop = await open(box, installed);
    expect(readFileSync(`/proc/${desktop.pid}/cmdline`, "utf8")).toStartWith(
      `${program}\0--client\0desktop\0--sound=default\0`,
    );
    await desktop.send("from the bundle");
    expect((await get(box, "code")).messages.map(({ message }) => message)).toEqual(["from the bundle"]);
    await sendAll(box, "desktop", ["to the bundle"]);
    expect(await desktop.fetch()).toContain("to the bundle");
    expect(existsSync(cacheOf(box))).toBe(false);
  });

  test("lists in its manifest the tools and prompts that it offers", async () => {
    await using box = sandbox();
    const installed = install(box, "relay-linux.mcpb");
    const { client } = await open(box, installed);
    const short = (list: { name: string; description?: string | undefined }[] = []) =>
      list.map(({ name, description }) => ({ name, description }));
    const { tools } = await client.listTools();
    expect(tools).toHaveLength(3);
    expect(short(installed.manifest.tools)).toEqual(short(tools));
    expect(short(installed.manifest.prompts as never)).toEqual(short((await client.listPrompts()).prompts));
  });

  const unset = `\${user_config.sound}`;
  test.each([
    ["nothing set", {}, "--sound=default"],
    ["an empty setting", { sound: "" }, "--sound="],
    ["a sound", { sound: "Glass 2" }, "--sound=Glass 2"],
    ["a setting that Desktop left as it stands", { sound: unset }, `--sound=${unset}`],
  ] as [string, Record<string, string>, string][])("starts with %s", async (_name, userConfig, argument) => {
    await using box = sandbox();
    const installed = install(box, "relay-linux.mcpb");
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
  const run = async (box: Sandbox, { server }: Installed, env: Record<string, string> = {}) =>
    box.run([...shell, join(server, "launch.sh"), "--version"], { env });
  const ran = { status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as never, stderr: "" };

  test("runs a copy in the person's cache where nothing can be changed, and removes older ones", async () => {
    await using box = sandbox();
    const installed = install(box, "relay-linux.mcpb");
    const cache = cacheOf(box);
    fakeProcessor(box, "Linux", "x86_64");
    refuseChanges(box);
    mkdirSync(cache, { recursive: true });
    for (const name of ["relay-0.0.1-0-x64", "relay-0.0.1-0-arm64", "relay-0.0.2-0-x64.123", "else"])
      writeFileSync(join(cache, name), "");
    expect(await run(box, installed)).toEqual(ran);
    const ours = expect.stringMatching(/^relay-9\.8\.7-[0-9a-f]{12}-x64$/);
    const copies = readdirSync(cache).sort();
    expect(copies).toEqual(["else", "relay-0.0.2-0-x64.123", ours]);
    const [copy, program] = [join(cache, copies[2] ?? ""), join(installed.server, "relay-x64")];
    expect(readFileSync(copy, "utf8")).toBe(readFileSync(program, "utf8"));
    fake(box, "mv", "exit 1"); // a copy that is there is run
    expect(await run(box, installed)).toEqual(ran);
  });

  test.each(["xz", "python3"].filter(systemProgram))(
    "unpacks the program for ARM beside itself, once, with %s",
    async (unpacker) => {
      await using box = sandbox();
      const installed = install(box, "relay-linux.mcpb");
      fakeProcessor(box, "Linux", "aarch64");
      for (const tool of ["cat", "chmod", "mkdir", "mv", "rm", unpacker])
        symlinkSync(systemProgram(tool) ?? "", join(box.programs, tool));
      const env = { PATH: box.programs };
      expect(await Promise.all([run(box, installed, env), run(box, installed, env)])).toEqual([ran, ran]);
      const files = ["launch.sh", "relay-arm64", "relay-arm64.xz", "relay-x64"];
      expect(readdirSync(installed.server).sort()).toEqual(files);
      expect(readFileSync(join(installed.server, "relay-arm64"), "utf8")).toContain("Linux arm64");
      rmSync(join(box.programs, unpacker));
      expect(await run(box, installed, env)).toEqual(ran);
    },
  );

  test.each([
    ["arm64", "arm64"],
    ["x86_64", "x64"],
  ])("on macOS runs relay for %s, and keeps copies in Library", async (told, cpu) => {
    await using box = sandbox();
    fakeProcessor(box, "Darwin", told);
    refuseChanges(box);
    expect(await run(box, install(box, "relay-macos.mcpb"))).toEqual(ran);
    const cache = join(box.home, "Library/Caches/relay");
    const [copy = ""] = readdirSync(cache);
    expect(copy).toEndWith(cpu);
    expect(readFileSync(join(cache, copy), "utf8")).toContain(`macOS ${cpu}`);
  });

  test.each([
    ["riscv64", "this bundle has no program for the processor riscv64. It has x64 and arm64."],
    ["aarch64", "xz, which unpacks relay for arm64, is missing. Install it (the package xz-utils or xz)."],
    ["x86_64", "cannot make a copy that runs in CACHE. Make that folder writable, or install relay with install.sh."],
  ])("on a %s without all that it needs says: %s", async (cpu, sentence) => {
    await using box = sandbox();
    fakeProcessor(box, "Linux", cpu);
    fake(box, "chmod", "exit 1");
    const env: Record<string, string> = cpu === "aarch64" ? { PATH: box.programs } : {};
    const stderr = `relay: ${sentence.replace("CACHE", cacheOf(box))}\n`;
    expect(await run(box, install(box, "relay-linux.mcpb"), env)).toEqual({ status: 1, stdout: "", stderr });
    if (existsSync(cacheOf(box))) expect(readdirSync(cacheOf(box))).toEqual([]);
  });
});

describe.skipIf(!canPack)("every bundle", () => {
  test("is the same every time", async () => {
    await using box = sandbox();
    await packBundles("9.8.7", binaries, box.home);
    for (const name of names)
      expect(readFileSync(join(box.home, name)).equals(readFileSync(join(bundles, name)))).toBe(true);
  });

  test.each(names)("%s passes mcpb unpack and validate", async (name) => {
    await using box = sandbox();
    const program = join(import.meta.dir, "../node_modules/@anthropic-ai/mcpb/dist/cli/cli.js");
    const mcpb = (...args: string[]) => box.run([process.execPath, program, ...args]);
    const folder = join(box.home, "unpacked");
    expect((await mcpb("unpack", join(bundles, name), folder)).status).toBe(0);
    const { status, stdout } = await mcpb("validate", folder);
    expect([status, stdout]).toEqual([0, expect.stringContaining("Manifest schema validation passes!")]);
    expect(stdout).toContain("Icon validation passed");
    const manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
    expect(manifest.version).toBe("9.8.7");
  });

  test("is at most 100 MB", () => {
    checkSize("relay.mcpb", bundleLimitBytes);
    const sentence = "relay.mcpb is 106.8 MB; the limit is 100.0 MB.";
    expect(() => checkSize("relay.mcpb", 106_800_000)).toThrow(sentence);
  });
});

test.skipIf(!canPack)(
  "the bundle for Windows has relay for x64 as it is, and for ARM as Windows' own tar unpacks it",
  async () => {
    await using box = sandbox();
    const { folder, server, start } = install(box, "relay-windows.mcpb");
    expect(readdirSync(server).sort()).toEqual(["launch.cmd", "relay-arm64.tar.xz", "relay-x64.exe"]);
    expect(readFileSync(join(server, "relay-x64.exe"), "utf8")).toBe("Windows x64\n");
    await box.run(["tar", "-xf", join(server, "relay-arm64.tar.xz"), "-C", box.home]);
    expect(readFileSync(join(box.home, "relay-arm64.exe"), "utf8")).toBe("Windows arm64\n");
    expect(readFileSync(join(server, "launch.cmd"), "utf8")).not.toMatch(/[^\r]\n/);
    expect(await start()).toEqual({
      command: "cmd.exe",
      args: ["/d", "/c", "call", `${folder}\\server\\launch.cmd`, "--client", "desktop", "--sound=default"],
    });
  },
);
