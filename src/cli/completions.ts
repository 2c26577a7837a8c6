import { defineCommand, usageError, type Verbs } from "./command.ts";
import { complete } from "./complete.ts";

/**
 * What each shell is to run when a word of relay's is completed: it asks the program, as `relay completions SHELL --
 * WORDS`, and takes each line of the answer for a word, a tab and a description.
 */
const scripts: Record<string, string> = {
  // Not `COMPREPLY=($(…))`, which would expand what it is given. macOS has bash 3.2, without mapfile.
  bash: `# bash completions of relay. For every shell from now on:
#   relay completions bash > ~/.local/share/bash-completion/completions/relay
# or, where bash-completion is not installed, in ~/.bashrc: source <(relay completions bash)

_relay() {
  local word
  COMPREPLY=()
  while IFS=$'\\t' read -r word _; do
    COMPREPLY+=("$word")
  done < <(relay completions bash -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}

complete -F _relay relay
`,
  zsh: `#compdef relay
# zsh completions of relay. For every shell from now on, into a folder that is in $fpath:
#   relay completions zsh > ~/.zfunc/_relay
# or in ~/.zshrc, after compinit: source <(relay completions zsh)

_relay() {
  local word description
  local -a found
  relay completions zsh -- "\${(@)words[2,CURRENT]}" 2>/dev/null | while IFS=$'\\t' read -r word description; do
    found+=("\${word//:/\\\\:}:$description")
  done
  _describe relay found
}

if [[ $funcstack[1] == _relay ]]; then
  _relay "$@"
else
  compdef _relay relay
fi
`,
  fish: `# fish completions of relay. For every shell from now on:
#   relay completions fish > ~/.config/fish/completions/relay.fish

complete -c relay -f -a '(relay completions fish -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
  // Never run: there was no PowerShell to run it in. Windows PowerShell 5.1 hands no empty word to a program.
  powershell: `# PowerShell completions of relay. For every shell from now on:
#   relay completions powershell >> $PROFILE

Register-ArgumentCompleter -Native -CommandName 'relay', 'relay.exe' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
    $current = if ($wordToComplete) { $wordToComplete } else { '""' }
    relay completions powershell -- @words $current 2>$null | ForEach-Object {
        $word, $description = $_ -split "\`t", 2
        if (-not $description) { $description = $word }
        [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $description)
    }
}
`,
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
  takesRest: true,
  run({ args: { shell = "" }, rest, data: { print }, verbs }) {
    const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
    const known = Object.keys(scripts).join(", ");
    if (!script)
      throw usageError("completions", `${shell ? `unknown shell "${shell}"` : "missing shell"} (${known})`);
    const text = rest.length === 0 ? script : answer(shell, rest, verbs);
    if (text !== "") print(text);
  },
});

function answer(shell: string, given: readonly string[], verbs: Verbs): string {
  const words = shell === "bash" ? withFlagsWhole(given) : given;
  const current = words.at(-1) ?? "";
  const taken = shell === "bash" && current.startsWith("--") ? current.indexOf("=") + 1 : 0;
  return complete(verbs, words)
    .map(({ word, description }) => `${word.slice(taken)}\t${description}`)
    .join("\n");
}

/** bash takes `--flag=value` apart at the sign, and wants the last part alone for an answer. */
function withFlagsWhole(words: readonly string[]): string[] {
  const whole: string[] = [];
  for (const [index, word] of words.entries()) {
    const belongs = word === "=" || words[index - 1] === "=";
    if (belongs && whole.at(-1)?.startsWith("--")) whole.push(`${whole.pop()}${word}`);
    else whole.push(word);
  }
  return whole;
}
