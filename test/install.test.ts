// install.sh of a release: it installs relay, or says in one sentence why not and leaves nothing behind.
import { describe, expect, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { type Machine, machine, preinstall, shellCommand, shells } from "./support/machine.ts";
import { mirror, preferred, standIn } from "./support/mirror.ts";
import { sandbox, until } from "./support/sandbox.ts";

const installedFiles = [".local", ".local/bin", ".local/bin/relay"];

describe.each(shells)("piped into $name", ({ argv: shell, missing }) => {
  test.skipIf(missing)("it installs relay and says what is left to do", async () => {
    await using box = sandbox();
    const here = machine(box);
    const release = await mirror(box);
    const { status, stdout, stderr } = await here.pipe(release.script, { shell });
    const asset = `relay-linux-x64${preferred}`;
    expect(stderr).toBe(`relay 9.8.7 for linux-x64: downloading ${asset}\n`);
    expect(stdout).toBe(`relay 9.8.7 is installed as ${here.installed}.

To type just "relay", put this line into ~/.profile and open a new terminal:
  export PATH='${here.home.replace("'", "'\\''")}/.local/bin':"$PATH"

To connect Claude Desktop and Claude Code, type: '${here.installed.replace("'", "'\\''")}' setup
`);
    expect(status).toBe(0);
    expect(release.requests).toEqual([asset]);
    expect(here.files()).toEqual(installedFiles);
    expect(readFileSync(here.installed, "utf8")).toBe(standIn);
    expect(statSync(here.installed).mode & 0o777).toBe(0o755);
  });

  test.skipIf(missing)("it upgrades, and uninstalls", async () => {
    await using box = sandbox();
    const here = machine(box);
    const { script } = await mirror(box);
    preinstall(here, `${standIn}# of a version before`);
    const upgraded = await here.pipe(script, { shell });
    expect(upgraded.stdout).toContain("Claudes that are running use it from their next start.\n");
    expect(readFileSync(here.installed, "utf8")).toBe(standIn);
    const removed = await here.pipe(script, { shell, args: ["--uninstall"] });
    expect(removed).toEqual({
      status: 0,
      stdout: `called: relay uninstall\n${here.installed} is removed.\n`,
      stderr: "",
    });
    expect(here.files()).toEqual([".local", ".local/bin"]);
  });

  test.skipIf(missing).each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "%s ends the download, and nothing is left of it",
    async (signal) => {
      await using box = sandbox();
      const here = machine(box);
      const release = await mirror(box);
      let gone = false;
      release.answer = (response, bytes) => {
        response.writeHead(200, { "content-length": bytes.length }).write(bytes.slice(0, 10));
        response.on("close", () => {
          gone = true;
        });
      };
      const installing = start(here, shell, release.script);
      await until("the download begins", () => release.requests.length === 1);
      await expectStopped(installing, signal, here);
      await until("the download ends too", () => gone);
    },
  );

  test.skipIf(missing)("a signal while it unpacks leaves nothing either", async () => {
    await using box = sandbox();
    const here = machine(box);
    const { script } = await mirror(box);
    here.fake(preferred === ".xz" ? "xz" : "gzip", `echo $$ >"${box.home}/unpacking"; exec /bin/sleep 60`);
    const installing = start(here, shell, script);
    const pid = () => Number(readFileSync(`${box.home}/unpacking`, "utf8"));
    await until("it unpacks", () => Bun.file(`${box.home}/unpacking`).exists());
    await until("its number is there", () => pid() > 0);
    await expectStopped(installing, "SIGTERM", here);
    expect(() => process.kill(pid(), 0)).toThrow();
  });

  test.skipIf(missing).each([
    ["404", (response: ServerResponse) => response.writeHead(404).end(), "404"],
    ["a connection that is cut", cut, "transfer closed"],
    [
      "other bytes",
      (response: ServerResponse) => response.end("others"),
      "is not what was released: its SHA-256 is ",
    ],
  ])("%s: nothing is installed", async (_, answer, words) => {
    await using box = sandbox();
    const here = machine(box);
    const release = await mirror(box);
    release.answer = answer;
    const { status, stdout, stderr } = await here.pipe(release.script, { shell });
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^relay 9.8.7 for .*\ninstall\.sh: .* Nothing was installed\..*\n$/);
    expect(stderr).toContain(words);
    expect(status).toBe(1);
    expect(here.files()).toEqual([]);
  });
});

test("two at the same time: both succeed, and the program is whole", async () => {
  await using box = sandbox();
  const here = machine(box);
  const { script } = await mirror(box);
  const both = await Promise.all([here.pipe(script), here.pipe(script)]);
  expect(both.map(({ status }) => status)).toEqual([0, 0]);
  expect(here.files()).toEqual(installedFiles);
  expect(readFileSync(here.installed, "utf8")).toBe(standIn);
});

const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

function start(here: Machine, shell: readonly string[], script: string) {
  return Bun.spawn(shellCommand(shell), {
    env: here.env,
    stdin: Buffer.from(script),
    stdout: "ignore",
    stderr: "ignore",
  });
}

async function expectStopped(
  installing: ReturnType<typeof start>,
  signal: keyof typeof numbers,
  here: Machine,
) {
  expect(here.files().join()).toContain(".relay-install.");
  installing.kill(signal);
  // a shell may miss one that comes in the moment before it begins to wait (seen once with zsh, on a busy machine)
  const again = setInterval(() => installing.kill(signal), 2_000);
  expect(await installing.exited).toBe(128 + numbers[signal]);
  clearInterval(again);
  expect(here.files()).toEqual([]);
}

function cut(response: ServerResponse, bytes: Uint8Array): void {
  response.writeHead(200, { "content-length": bytes.length });
  response.write(bytes.slice(0, 10), () => setTimeout(() => response.socket?.destroy(), 20));
}
