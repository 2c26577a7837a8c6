// Completions are asked of the real shells. PowerShell's is a snapshot: it was never run.
import { describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command as clear } from "../src/cli/clear.ts";
import { type Command, defineCommand } from "../src/cli/command.ts";
import { bashCompletions } from "../src/cli/completions/bash.ts";
import { fishCompletions } from "../src/cli/completions/fish.ts";
import { powershellCompletions } from "../src/cli/completions/powershell.ts";
import { completionTree, type Tree } from "../src/cli/completions/tree.ts";
import { zshCompletions } from "../src/cli/completions/zsh.ts";
import { command as hook } from "../src/cli/hook.ts";
import { command as serve } from "../src/cli/serve.ts";
import { complete, type Shell } from "./support/completing.ts";
import { sandbox } from "./support/sandbox.ts";

const generators: Record<Shell, (tree: Tree) => string> = {
  bash: bashCompletions,
  zsh: zshCompletions,
  fish: fishCompletions,
};
const shells = Object.keys(generators) as Shell[];

/** What people type first, by the help. */
const verbs = await (async () => {
  await using box = sandbox();
  const { stdout } = await box.relay(["--help"]);
  const all = /USAGE relay \[OPTIONS\] (\S+)/.exec(stdout)?.[1]?.split("|") ?? [];
  const calledByClaudeCode = ["typed", "hook", "statusline"];
  return all.filter((verb) => !calledByClaudeCode.includes(verb)).sort();
})();
const serving = ["--client", "--debug", "--help", "--idle-timeout", "--sound"];

// Where no word can follow, zsh offers the flags.
const lines: [line: string, words: string[], inZsh?: string[]][] = [
  ["relay ", verbs],
  ["relay s", verbs.filter((verb) => verb.startsWith("s"))],
  ["relay stat", ["status"]],
  ["relay -", [...serving, "--version"].sort()],
  ["relay --client ", ["code", "desktop"]],
  ["relay --client=c", ["code"]],
  ["relay --client=", ["code", "desktop"]],
  ["relay --client code --de", ["--debug"]],
  ["relay --sound o", ["off"]],
  ["relay --idle-timeout ", []],
  ["relay serve --", serving],
  ["relay send --to ", ["code", "desktop"]],
  ["relay send --to d", ["desktop"]],
  ["relay send --json --to=d", ["desktop"]],
  ["relay send --to code ", []],
  ["relay send --to code -- --", []],
  ["relay send --to code get --f", []],
  ["relay get --", ["--all", "--for", "--help", "--json", "--limit", "--peek"]],
  ["relay get --for code --l", ["--limit"]],
  ["relay status ", [], ["--help", "--json"]],
  ["relay completions ", ["bash", "fish", "powershell", "zsh"]],
  ["relay completions z", ["zsh"]],
  ["relay completions zsh ", [], ["--help"]],
  ["relay hook ", ["pre-tool-use", "session-start", "user-prompt-expansion"]],
  ["relay frobnicate ", []],
];

describe.each(shells)("in %s", (shell) => {
  const absent = !Bun.which(shell);

  test.skipIf(absent).each(lines)("%j is completed with %j", async (line, words, inZsh = words) => {
    await using box = sandbox();
    writeFileSync(join(box.home, "code-of-somebody"), ""); // no argument of relay is a file
    const { stdout } = await box.relay(["completions", shell]);
    expect(await complete(box, shell, stdout, line)).toEqual(shell === "zsh" ? inZsh : words);
  });

  // Nothing in the tree is hostile today; a description with an apostrophe must not become code tomorrow.
  const trap = 'it\'s \\ a "$(touch sprung)" `touch sprung` $x [y]: (z) ’; touch sprung #';
  const hostile = () =>
    generators[shell](
      completionTree({
        serve: defineCommand({ meta: { name: "serve", description: trap }, run() {} }) as Command,
        "a'b:$(touch sprung)": defineCommand({ meta: { name: "", description: trap }, run() {} }) as Command,
        odd: defineCommand({
          meta: { name: "odd", description: trap },
          run() {},
          args: {
            flag: { type: "enum", options: ["a'b", "$(touch sprung)", "`x`"], description: trap },
            place: { type: "positional", required: false, suggestions: ["c'd", "$x"], description: trap },
          },
        }) as Command,
      }),
    );
  const traps: [line: string, words: string[]][] = [
    ["relay ", ["a'b:$(touch sprung)", "odd", "serve"]],
    ["relay odd -", ["--flag", "--help"]],
    ["relay odd --flag ", ["$(touch sprung)", "`x`", "a'b"]],
    ["relay odd ", ["$x", "c'd"]],
  ];
  test.skipIf(absent).each(traps)("no name or description is code: %j", async (line, words) => {
    await using box = sandbox();
    expect(await complete(box, shell, hostile(), line)).toEqual(words);
    expect(existsSync(join(box.home, "sprung"))).toBe(false);
  });
});

describe("in PowerShell", () => {
  test("the script is as it was reviewed", () => {
    const tree = completionTree({ serve: serve as Command, hook: hook as Command, clear: clear as Command });
    expect(powershellCompletions(tree)).toMatchSnapshot();
  });

  test("it is made from the same tree", async () => {
    await using box = sandbox();
    const { stdout } = await box.relay(["completions", "powershell"]);
    for (const verb of verbs) expect(stdout).toContain(`            Candidate '${verb}' '`);
    expect(stdout).toContain("'send --to' = @(\n            Candidate 'desktop' ");
  });

  test("every kind of quote is doubled", () => {
    const odd = defineCommand({
      meta: { name: "odd", description: 'it\'s ‘so’ ‚or‛ "$x" `n' },
      run() {},
    }) as Command;
    expect(powershellCompletions(completionTree({ odd }))).toContain(
      `Candidate 'odd' 'it''s ‘‘so’’ ‚‚or‛‛ "$x" \`n' 'Command'`,
    );
  });
});
