import { RelayError } from "../core/errors.ts";
import { defineCommand } from "./command.ts";
import type { Tree } from "./completions/tree.ts";
import type { Context } from "./context.ts";

const generators: Record<string, () => Promise<(tree: Tree) => string>> = {
  bash: async () => (await import("./completions/bash.ts")).bashCompletions,
  zsh: async () => (await import("./completions/zsh.ts")).zshCompletions,
  fish: async () => (await import("./completions/fish.ts")).fishCompletions,
  powershell: async () => (await import("./completions/powershell.ts")).powershellCompletions,
};

export const command = defineCommand({
  meta: { name: "completions", description: "Print a script that completes relay's words in a shell" },
  args: {
    shell: {
      type: "positional",
      required: false,
      valueHint: "bash|zsh|fish|powershell",
      description: "Which shell",
    },
  },
  async run({ args, data }) {
    const { verbs, print } = data as Context;
    const shell = args.shell ?? "";
    const load = Object.hasOwn(generators, shell) ? generators[shell] : undefined;
    if (!load) throw new RelayError("usage", wrongShell(shell));
    const { completionTree } = await import("./completions/tree.ts");
    print((await load())(completionTree(verbs)));
  },
});

function wrongShell(shell: string): string {
  const names = Object.keys(generators);
  const fix = `Say ${names.slice(0, -1).join(", ")} or ${names.at(-1)}.`;
  return shell === "" ? `no shell is named. ${fix}` : `"${shell}" is no shell that relay knows. ${fix}`;
}
