// install.sh with a person at the terminal: the progress bar, "relay setup", and "--uninstall".
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Machine, machine, shellCommand, shells } from "./support/machine.ts";
import { standIn } from "./support/mirror.ts";
import { until } from "./support/sandbox.ts";

interface TerminalOptions {
  shell?: readonly string[];
  args?: string[];
  /** Keys that the person presses once the screen shows a text. */
  answers?: Record<string, string>;
  env?: Record<string, string>;
}

/** Pipes install.sh into a shell on a terminal. */
async function atTerminal(here: Machine, { shell = ["dash"], args = [], answers = {}, env = {} }: TerminalOptions) {
  const path = join(here.box.home, "install.sh");
  writeFileSync(path, here.release.script);
  let screen = "";
  const piped = ["/bin/sh", "-c", 'script=$1; shift; exec "$@" <"$script"', "sh", path];
  const child = Bun.spawn([...piped, ...shellCommand(shell), "-s", "--", ...args], {
    env: { ...here.env, ...env },
    cwd: here.box.home,
    terminal: {
      cols: 200,
      data(_, bytes) {
        screen += Buffer.from(bytes).toString();
      },
    },
  });
  here.box.defer(() => child.kill("SIGKILL"));
  for (const [question, answer] of Object.entries(answers)) {
    await until(question, () => screen.includes(question));
    child.terminal?.write(answer);
  }
  const status = await child.exited;
  child.terminal?.close();
  return { status, screen: screen.replaceAll("\r\n", "\n") };
}

const question = 'Connect Claude Desktop and Claude Code now, with "relay setup"? [Y/n] ';

describe.each(shells)("$name", ({ argv: shell }) => {
  test.each([
    ["\r", "called: relay setup\n"],
    ["Yes\r", "called: relay setup\n"],
    ["n\r", "To connect Claude Desktop and Claude Code, type: "],
    ["\x04", "To connect Claude Desktop and Claude Code, type: "],
  ])("the answer %j: %s", async (answer, words) => {
    await using here = await machine();
    const { status, screen } = await atTerminal(here, { shell, answers: { [question]: answer } });
    expect(screen).toContain("100.0%"); // the progress bar
    expect(screen.split(question)[1]).toContain(words);
    expect(screen.split("called: relay setup").length).toBe(words.startsWith("called:") ? 2 : 1);
    expect(status).toBe(0);
  });

  test("Ctrl-C, pressed twice, ends it and leaves nothing", async () => {
    await using here = await machine();
    here.release.answer = (response, bytes) => {
      response.writeHead(200, { "content-length": bytes.length * 2 }).write(bytes);
    };
    // the second one comes while it cleans up
    here.fake("rm", '/bin/sleep 0.3; exec /bin/rm "$@"');
    const { status } = await atTerminal(here, { shell, answers: { "%": "\x03", "^C": "\x03" } });
    expect(status).toBe(130);
    expect(here.files()).toEqual([]);
  });
});

test("a setup that fails does not undo the installation", async () => {
  await using here = await machine();
  const { status, screen } = await atTerminal(here, {
    answers: { [question]: "y\r" },
    env: { STATUS: "4" },
  });
  expect(screen).toContain(
    'install.sh: relay is installed, but "relay setup" failed. Fix the problem that it names, and type: ',
  );
  expect(status).toBe(1);
  expect(existsSync(here.installed)).toBe(true);
});

const reading = standIn.replace("*) echo", '*) echo really?; read -r line; echo "read $line"; echo');

test("the terminal is what relay setup and relay uninstall read from, not the script", async () => {
  await using here = await machine(Buffer.from(reading));
  const answers = { [question]: "y\r", "really?": "from the terminal\r" };
  expect((await atTerminal(here, { answers })).screen).toContain("read from the terminal\n");
  const removal = await atTerminal(here, { args: ["--uninstall"], answers: { "really?": "yes\r" } });
  expect(removal.screen).toContain("read yes\n");
  expect(removal.status).toBe(0);
  expect(here.files()).toEqual([".local", ".local/bin"]);
});

describe("--uninstall", () => {
  test("removes nothing if relay could not disconnect the Claudes", async () => {
    await using here = await machine();
    here.preinstall(standIn);
    expect(await here.install({ args: ["--uninstall"], env: { STATUS: "1" } })).toEqual({
      status: 1,
      stdout: "called: relay uninstall\n",
      stderr:
        'install.sh: "relay uninstall" failed, so nothing was removed. Fix the problem that it names, and run this again.\n',
    });
    expect(readFileSync(here.installed, "utf8")).toBe(standIn);
  });

  test("removes also what a killed installation left", async () => {
    await using here = await machine();
    here.preinstall(standIn);
    mkdirSync(join(here.home, ".local/bin/.relay-install.abc"));
    expect(await here.install({ args: ["--uninstall"] })).toMatchObject({ status: 0 });
    expect(here.files()).toEqual([".local", ".local/bin"]);
  });

  test("says so if there is none", async () => {
    await using here = await machine();
    const sentence = `there is no relay in ${here.home}/.local/bin. If it is in another folder, set RELAY_INSTALL_DIR.`;
    await here.refuses(sentence, { args: ["--uninstall"] });
  });
});
