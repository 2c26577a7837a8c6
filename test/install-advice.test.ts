// What install.sh tells the person to type, and into which file.
import { describe, expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { type Machine, machine } from "./support/machine.ts";
import { mirror } from "./support/mirror.ts";
import { sandbox } from "./support/sandbox.ts";

describe("the line for PATH makes the person's own shell find it:", () => {
  for (const [shell, file, ...flags] of [
    ["bash", "~/.bashrc"],
    ["zsh", "~/.zshrc"],
    ["fish", "~/.config/fish/config.fish", "--no-config"],
    ["tcsh", "~/.cshrc", "-f"],
    ["dash", "~/.profile"],
  ] as const) {
    const path = Bun.which(shell);
    test.skipIf(!path)(shell, async () => {
      await using box = sandbox();
      const here = machine(box);
      const { script } = await mirror(box);
      const { stdout } = await here.pipe(script, { env: { SHELL: `/usr/bin/${shell}` } });
      const printed = /put this line into (\S+) and open a new terminal:\n {2}(.*)/.exec(stdout);
      expect(printed?.[1]).toBe(file);
      const words = `${printed?.[2]}\nrelay is found`;
      expect(await box.run([path ?? "", ...flags, "-c", words], { env: here.env })).toMatchObject({
        stdout: "called: relay is found\n",
      });
    });
  }
});

describe("another relay that is found first is pointed out", () => {
  async function install(change: (here: Machine) => Record<string, string>) {
    await using box = sandbox();
    const here = machine(box);
    const { script } = await mirror(box);
    const env = change(here);
    const { stdout } = await here.pipe(script, { env });
    return stdout.replaceAll(here.home, "HOME").replaceAll(here.env.PATH ?? "", "PROGRAMS");
  }

  test("none: nothing to say, and only what is left to do", async () => {
    const stdout = await install(({ home, env }) => ({ PATH: `${env.PATH}:${home}/.local/bin` }));
    expect(stdout).toBe(
      "relay 9.8.7 is installed as HOME/.local/bin/relay.\n\nTo connect Claude Desktop and Claude Code, type: relay setup\n",
    );
  });

  test("one before it", async () => {
    const stdout = await install((here) => {
      here.fake("relay", "echo another");
      return { PATH: `${here.env.PATH}:${here.home}/.local/bin/` };
    });
    expect(stdout).toContain(
      '\nTyping "relay" runs another one, PROGRAMS/relay. Remove that, or put HOME/.local/bin before it in PATH.\n',
    );
    expect(stdout).toContain("HOME/.local/bin/relay' setup\n");
  });

  test("a link to it is no other", async () => {
    const stdout = await install(({ home, env, installed }) => {
      symlinkSync(installed, join(env.PATH ?? "", "relay"));
      return { PATH: `${env.PATH}:${home}/.local/bin` };
    });
    expect(stdout).not.toContain("another one");
    expect(stdout).toEndWith(": relay setup\n");
  });
});
