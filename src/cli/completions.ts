import { defineCommand, usageError } from "./command.ts";
import type { Tree } from "./completions/tree.ts";

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
      suggestions: ["bash", "zsh", "fish", "powershell"],
      description: "Which shell",
    },
  },
  async run({ args, data: { print }, verbs }) {
    const shell = args.shell ?? "";
    const load = Object.hasOwn(generators, shell) ? generators[shell] : undefined;
    const known = Object.keys(generators).join(", ");
    if (!load)
      throw usageError("completions", `${shell ? `unknown shell "${shell}"` : "missing shell"} (${known})`);
    const { completionTree } = await import("./completions/tree.ts");
    print((await load())(completionTree(verbs)));
  },
});
