// install.sh of a release: it installs relay, or says in one sentence why not and leaves nothing behind.
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { version } from "../src/core/version.ts";
import { machine, shellCommand, shells } from "./support/machine.ts";
import { preferred, standIn } from "./support/mirror.ts";
import { relayBinary, until } from "./support/sandbox.ts";

const installedFiles = [".local", ".local/bin", ".local/bin/relay"];

describe.each(shells)("piped into $name", ({ argv: shell }) => {
  test("it installs relay and says what is left to do", async () => {
    await using here = await machine();
    const { status, stdout, stderr } = await here.install({ shell });
    const asset = `relay-linux-x64${preferred}`;
    const quoted = here.home.replace("'", "'\\''");
    expect(stderr).toBe(`relay 9.8.7 for linux-x64: downloading ${asset}\n`);
    expect(stdout).toBe(`relay 9.8.7 is installed as ${here.installed}.

called: relay demo

To type just "relay", put this line into ~/.profile and open a new terminal:
  export PATH='${quoted}/.local/bin':"$PATH"

To connect Claude Desktop and Claude Code, type: '${quoted}/.local/bin/relay' setup
`);
    expect(status).toBe(0);
    expect(here.release.requests).toEqual([asset]);
    expect(here.files()).toEqual(installedFiles);
    expect(readFileSync(here.installed, "utf8")).toBe(standIn);
    expect(statSync(here.installed).mode & 0o777).toBe(0o755);
  });

  test("it upgrades, and uninstalls", async () => {
    await using here = await machine();
    here.preinstall(`${standIn}# of a version before`);
    const upgraded = await here.install({ shell });
    expect(upgraded.stdout).toContain("Running Claudes use it from their next start.\n");
    expect(readFileSync(here.installed, "utf8")).toBe(standIn);
    expect(await here.install({ shell, args: ["--uninstall"] })).toEqual({
      status: 0,
      stdout: `called: relay uninstall\n${here.installed} is removed.\n`,
      stderr: "",
    });
    expect(here.files()).toEqual([".local", ".local/bin"]);
  });

  test.each([
    ["404", (response: ServerResponse) => response.writeHead(404).end(), "404"],
    ["a connection that is cut", cut, "transfer closed"],
    ["other bytes", (response: ServerResponse) => response.end("others"), "its SHA-256 is "],
  ])("%s: nothing is installed", async (_, answer, words) => {
    await using here = await machine();
    here.release.answer = answer;
    const { status, stdout, stderr } = await here.install({ shell });
    expect(stderr).toMatch(/^relay 9.8.7 for .*\ninstall\.sh: .* Nothing was installed\..*\n$/);
    expect(stderr).toContain(words);
    expect([status, stdout]).toEqual([1, ""]);
    expect(here.files()).toEqual([]);
  });

  test.each([
    ["SIGHUP", 129],
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s ends the download and leaves nothing", async (signal, status) => {
    await using here = await machine();
    const { requests, script } = here.release;
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    here.release.answer = (response, bytes) => {
      response.writeHead(200, { "content-length": bytes.length }).write(bytes.slice(0, 10));
      response.on("close", resolve);
    };
    const installing = Bun.spawn(shellCommand(shell), {
      env: here.env,
      stdin: Buffer.from(script),
      stdout: "ignore",
      stderr: "ignore",
    });
    await until("the download begins", () => requests.length === 1);
    expect(here.files().join()).toContain(".relay-install.");
    installing.kill(signal);
    // zsh may miss a signal that comes just before it begins to wait
    const again = setInterval(() => installing.kill(signal), 2_000);
    expect(await installing.exited).toBe(status);
    clearInterval(again);
    expect(here.files()).toEqual([]);
    await closed;
  });

  test("cut off anywhere, it does nothing", async () => {
    await using here = await machine();
    const { script } = here.release;
    for (const program of [...calledFirst, "wget"]) here.fake(program, `echo called >>"${here.box.home}/log"`);
    expect(script).toEndWith('\n{ main "$@"; exit; }\n');
    const lastLine = script.lastIndexOf("\n{ main");
    const cuts = Array.from({ length: script.length - 1 }, (_, place) => place);
    const chosen = cuts.filter((place) => place > lastLine || place % 211 === 0);
    const work = async () => {
      for (let place = chosen.pop(); place !== undefined; place = chosen.pop()) {
        const { stdout } = await here.install({ shell, script: script.slice(0, place) });
        expect([place, stdout, here.files()]).toEqual([place, "", []]);
      }
    };
    await Promise.all([work(), work()]);
    expect(existsSync(join(here.box.home, "log"))).toBe(false);
    await here.install({ shell }); // whole: these programs would be called
    expect(existsSync(join(here.box.home, "log"))).toBe(true);
  });
});

const calledFirst = "cat chmod cp curl dirname env getconf id ldd mkdir mktemp mv rm sed uname".split(" ");

test("two at the same time: both succeed, and the program is whole", async () => {
  await using here = await machine();
  const both = await Promise.all([here.install(), here.install()]);
  expect(both.map(({ status }) => status)).toEqual([0, 0]);
  expect(here.files()).toEqual(installedFiles);
  expect(readFileSync(here.installed, "utf8")).toBe(standIn);
});

test("the compiled relay: installed, set up, used, uninstalled without a trace", async () => {
  await using here = await machine(readFileSync(relayBinary), version);
  const folder = join(here.home, ".config/Claude");
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "claude_desktop_config.json");
  const before = '{"mcpServers":{"other":{"command":"x"}}}';
  writeFileSync(config, before);
  const files = here.files();
  expect(await here.install()).toMatchObject({ status: 0 });
  const env = { ...here.env, RELAY_NOTIFY: "off" };
  const relay = (...args: string[]) => here.box.run([here.installed, ...args], { env });
  expect(await relay("--version")).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
  expect(await relay("demo")).toMatchObject({ status: 0 });
  expect(await relay("setup")).toMatchObject({ status: 0 });
  expect(JSON.parse(readFileSync(config, "utf8")).mcpServers.relay.command).toBe(here.installed);
  expect(await here.install({ args: ["--uninstall"], env })).toMatchObject({ status: 0 });
  expect(readFileSync(config, "utf8")).toBe(before);
  expect(here.files().filter((path) => !files.includes(path))).toEqual([".local", ".local/bin"]);
});

function cut(response: ServerResponse, bytes: Uint8Array): void {
  response.writeHead(200, { "content-length": bytes.length });
  response.write(bytes.slice(0, 10), () => response.socket?.end());
}
