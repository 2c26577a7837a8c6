// How a command line is completed, by the program and in the real shells. There was no PowerShell to try.
import { describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { complete, shells } from "./support/completing.ts";
import { relayBinary, sandbox } from "./support/sandbox.ts";

/** The program's answer to a shell: each word, with its description. */
async function ask(shell: string, words: string[]): Promise<[word: string, description: string][]> {
  await using box = sandbox();
  const { status, stdout, stderr } = await box.relay(["completions", shell, "--", ...words]);
  expect([status, stderr, existsSync(box.buffer)]).toEqual([0, "", false]);
  const lines = stdout.split("\n").filter(Boolean);
  return lines.map((line) => line.split("\t") as [string, string]);
}

const verbs =
  "serve send get status log show save resend clear doctor demo setup setup-code setup-desktop uninstall connect disconnect completions help version";
const serving = "--client --debug --sound --allow-files --idle-timeout --help";

describe("a command line is completed", () => {
  const lines: [line: string, words: string][] = [
    ["relay ", verbs],
    ["relay s", "serve send status show save setup setup-code setup-desktop"],
    ["relay frobnicate ", ""],
    ["relay -", `${serving} --version`],
    ["relay --client ", "desktop code"],
    ["relay --client=c", "--client=code"],
    ["relay --client=", "--client=desktop --client=code"],
    ["relay --sound o", "off"],
    ["relay --idle-timeout ", ""],
    ["relay serve --", serving],
    ["relay serve --debug --d", ""],
    ["relay send --to ", "desktop code"],
    ["relay send --json --to=d", "--to=desktop"],
    ["relay send -t ", "desktop code"],
    ["relay send --to code ", ""],
    ["relay send --to code -- --", ""],
    ["relay send --file ", "<path>"],
    ["relay send --file a --file ", "<path>"],
    ["relay setup-desktop --allow-files /", "<path>"],
    ["relay get --", "--for --limit --all --peek --json --help"],
    ["relay completions ", "bash zsh fish powershell"],
    ["relay completions zsh ", ""],
    ["relay log -n 5 --from ", "desktop code"],
    ["relay help s", "serve send status show save setup setup-code setup-desktop"],
    ["relay help send ", ""],
    ["relay hook ", "user-prompt-expansion session-start pre-tool-use"],
  ];
  test.each(lines)("%j: %s", async (line, words) => {
    const answer = await ask("zsh", line.split(" ").slice(1));
    expect(answer.map(([word]) => word).join(" ")).toBe(words);
  });

  // readline's own way of taking a line apart: at spaces, and around an equals sign
  const inBash: [words: string[], answer: string][] = [
    [["send", "--to", "=", "d"], "desktop"],
    [["send", "--to", "="], "desktop code"],
    [["send", "--to", "=", "code", "--j"], "--json"],
    [["send", "a", "=", "--j"], "--json"],
  ];
  test.each(inBash)("bash's %j: %s", async (words, answer) => {
    expect((await ask("bash", words)).map(([word]) => word).join(" ")).toBe(answer);
  });

  test("with what the help says", async () => {
    expect(await ask("fish", ["--version"])).toEqual([["--version", "Print the version"]]);
    expect(await ask("fish", ["stat"])).toEqual([["status", "Show unread messages"]]);
  });
});

test.skipIf(!Bun.which("bash"))(
  "a bash without compopt, as macOS has it, completes no path, and says nothing",
  async () => {
    await using box = sandbox();
    const script = `enable -n compopt; source <("${relayBinary}" completions bash)
    relay() { "${relayBinary}" "$@"; }
    COMP_WORDS=(relay send --file ""); COMP_CWORD=3; _relay; echo "\${#COMPREPLY[@]}"`;
    expect(await box.run(["bash", "-c", script])).toEqual({ status: 0, stdout: "0\n", stderr: "" });
  },
);

describe.each(shells)("in %s", (shell) => {
  const absent = !Bun.which(shell);

  const lines: [line: string, words: string[]][] = [
    ["relay ", verbs.split(" ").sort()],
    ["relay send --to ", ["code", "desktop"]],
    ["relay send --json --to=d", ["desktop"]],
    ["relay send --to code ", []],
    ["relay send --file code-", ["code-of-mine"]],
  ];
  test.skipIf(absent).each(lines)("%j is completed with %j", async (line, words) => {
    await using box = sandbox();
    writeFileSync(join(box.home, "code-of-mine"), ""); // only after --file it is a word
    expect(await complete(box, shell, line)).toEqual(words);
  });

  test.skipIf(absent)("no word or description is code", async () => {
    await using box = sandbox();
    const trap = 'it\'s \\ a "$(touch sprung)" `touch sprung` $x [y]: (z) ’ *; touch sprung #';
    const answer = `a'b:$(touch sprung)\t${trap}\n*\t\n\`touch sprung\`\t${trap}\n`;
    writeFileSync(join(box.home, "answer"), answer);
    expect(await complete(box, shell, "relay ", `cat "${box.home}/answer"`)).toEqual([
      "*",
      "`touch sprung`",
      "a'b:$(touch sprung)",
    ]);
    expect(existsSync(join(box.home, "sprung"))).toBe(false);
  });
});
