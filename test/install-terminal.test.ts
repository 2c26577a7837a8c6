// install.sh with a person at the terminal: the progress bar, "relay setup", and the way out.
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expectFailure, type Machine, machine, preinstall, shellCommand, shells } from "./support/machine.ts";
import { mirror, standIn } from "./support/mirror.ts";
import { type Sandbox, sandbox, until } from "./support/sandbox.ts";

/** Pipes the script into a shell on a terminal, and types each answer when its question is there. */
async function atTerminal(
  box: Sandbox,
  here: Machine,
  script: string,
  {
    shell = ["dash"] as readonly string[],
    args = [] as string[],
    answers = {} as Record<string, string>,
    env = {},
  },
) {
  const path = join(box.home, "install.sh");
  writeFileSync(path, script);
  let screen = "";
  const child = Bun.spawn(
    [
      "/bin/sh",
      "-c",
      'script=$1; shift; exec "$@" <"$script"',
      "sh",
      path,
      ...shellCommand(shell),
      "-s",
      "--",
      ...args,
    ],
    {
      env: { ...here.env, ...env },
      cwd: box.home,
      terminal: {
        cols: 200,
        data(_, bytes) {
          screen += Buffer.from(bytes).toString();
        },
      },
    },
  );
  box.defer(() => child.kill("SIGKILL"));
  for (const [question, answer] of Object.entries(answers)) {
    await until(question, () => screen.includes(question));
    child.terminal?.write(answer);
  }
  const status = await child.exited;
  child.terminal?.close();
  return { status, screen: screen.replaceAll("\r\n", "\n") };
}

const question = 'Connect Claude Desktop and Claude Code now, with "relay setup"? [Y/n] ';
const leftToDo = "To connect Claude Desktop and Claude Code, type:";

describe.each(shells)("$name", ({ argv: shell, missing }) => {
  test.skipIf(missing).each(["\r", "y\r", "Yes\r"])("%j wires both Claudes", async (answer) => {
    await using box = sandbox();
    const here = machine(box);
    const { script } = await mirror(box);
    const { status, screen } = await atTerminal(box, here, script, {
      shell,
      answers: { [question]: answer },
    });
    expect(screen).toContain("100.0%"); // the progress bar
    expect(screen).toEndWith("called: relay setup\n");
    expect(status).toBe(0);
  });

  test.skipIf(missing).each(["n\r", "what?\r", "\x04"])("%j leaves that for later", async (answer) => {
    await using box = sandbox();
    const here = machine(box);
    const { script } = await mirror(box);
    const { status, screen } = await atTerminal(box, here, script, {
      shell,
      answers: { [question]: answer },
    });
    expect(screen).not.toContain("called:");
    expect(screen).toContain(leftToDo);
    expect(status).toBe(0);
  });

  test.skipIf(missing)("Ctrl-C, pressed twice, ends it and leaves nothing", async () => {
    await using box = sandbox();
    const here = machine(box);
    const release = await mirror(box);
    release.answer = (response, bytes) => {
      response.writeHead(200, { "content-length": bytes.length * 2 }).write(bytes);
    };
    here.fake("rm", '/bin/sleep 0.3; exec /bin/rm "$@"');
    const { status } = await atTerminal(box, here, release.script, {
      shell,
      answers: { "%": "\x03", "^C": "\x03" },
    });
    expect(status).toBe(130);
    expect(here.files()).toEqual([]);
  });
});

test("a setup that fails does not undo the installation", async () => {
  await using box = sandbox();
  const here = machine(box);
  const { script } = await mirror(box);
  const { status, screen } = await atTerminal(box, here, script, {
    answers: { [question]: "y\r" },
    env: { STATUS: "4" },
  });
  expect(screen).toContain(
    'install.sh: relay is installed, but "relay setup" failed. Fix the problem that it names, and type: ',
  );
  expect(status).toBe(1);
  expect(existsSync(here.installed)).toBe(true);
});

test.skipIf(!Bun.which("wget"))("wget has a progress bar too", async () => {
  await using box = sandbox();
  const here = machine(box);
  const { script } = await mirror(box);
  here.lacks("curl");
  here.has(["wget"]);
  const { screen } = await atTerminal(box, here, script, { answers: { [question]: "n\r" } });
  expect(screen).toContain("100%");
});

test("the terminal is what relay setup reads from, not the script", async () => {
  await using box = sandbox();
  const here = machine(box);
  const program = standIn.replace("*) echo", '*) read -r line; echo "read $line"; echo');
  const { script } = await mirror(box, Buffer.from(program));
  here.lacks("xz", "gzip");
  const answers = { [question]: "y\rfrom the terminal\r" };
  const { screen } = await atTerminal(box, here, script, { answers });
  expect(screen).toContain("read from the terminal\n");
});

describe("--uninstall", () => {
  test("removes nothing if relay could not take itself out of the Claudes", async () => {
    await using box = sandbox();
    const here = machine(box);
    const { script } = await mirror(box);
    preinstall(here, standIn);
    const { status, stdout, stderr } = await here.pipe(script, {
      args: ["--uninstall"],
      env: { STATUS: "1" },
    });
    expect(stderr).toBe(
      'install.sh: "relay uninstall" failed, so nothing was removed. Fix the problem that it names, and run this again.\n',
    );
    expect(stdout).toBe("called: relay uninstall\n");
    expect(status).toBe(1);
    expect(readFileSync(here.installed, "utf8")).toBe(standIn);
  });

  test("gives it the terminal", async () => {
    await using box = sandbox();
    const here = machine(box);
    const { script } = await mirror(box);
    preinstall(here, standIn.replace("*) echo", '*) echo really?; read -r line; echo "read $line"; echo'));
    const answers = { "really?": "yes\r" };
    const { status, screen } = await atTerminal(box, here, script, { args: ["--uninstall"], answers });
    expect(screen).toContain("read yes\n");
    expect(status).toBe(0);
    expect(here.files()).toEqual([".local", ".local/bin"]);
  });

  test("takes along what a killed installation left", async () => {
    await using box = sandbox();
    const here = machine(box);
    const { script } = await mirror(box);
    preinstall(here, standIn);
    await box.run(["mkdir", `${here.installed.slice(0, -5)}.relay-install.abc`]);
    expect(await here.pipe(script, { args: ["--uninstall"] })).toMatchObject({ status: 0 });
    expect(here.files()).toEqual([".local", ".local/bin"]);
  });

  test("says so if there is none", async () => {
    await using box = sandbox();
    const here = machine(box);
    const { script } = await mirror(box);
    const sentence = `there is no relay in ${here.home}/.local/bin. If it is elsewhere, set RELAY_INSTALL_DIR.`;
    await expectFailure(here, script, sentence, { args: ["--uninstall"] });
  });
});
