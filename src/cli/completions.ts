import { defineCommand, usageError, type Verbs } from "./command.ts";
import { anyPath, complete } from "./complete.ts";

/**
 * The script of each shell. To complete a word it runs `relay completions SHELL -- WORDS`, which answers a word, a tab and
 * a description in each line.
 */
const scripts: Record<string, string> = {
  // `COMPREPLY=($(…))` would expand the words. macOS has bash 3.2, without mapfile and compopt.
  bash: `# bash completions of relay. For every shell from now on:
#   relay completions bash > ~/.local/share/bash-completion/completions/relay
# or, where bash-completion is not installed, in ~/.bashrc: source <(relay completions bash)

_relay() {
  local word
  COMPREPLY=()
  while IFS=$'\\t' read -r word _; do
    if [[ $word == "${anyPath}" ]]; then compopt -o default 2>/dev/null; else COMPREPLY+=("$word"); fi
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
  if [[ $found[1] == "${anyPath}:"* ]]; then _files; else _describe relay found; fi
}

if [[ $funcstack[1] == _relay ]]; then
  _relay "$@"
else
  compdef _relay relay
fi
`,
  fish: `# fish completions of relay. For every shell from now on:
#   relay completions fish > ~/.config/fish/completions/relay.fish

function __relay_complete
  set -l found (relay completions fish -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)
  if string match -q '${anyPath}*' -- $found
    __fish_complete_path (commandline -ct)
  else
    printf '%s\\n' $found
  end
end

complete -c relay -f -a '(__relay_complete)'
`,
  // Never run: no PowerShell was at hand. Windows PowerShell 5.1 passes no empty word to a program.
  powershell: `# PowerShell completions of relay. For every shell from now on:
#   relay completions powershell >> $PROFILE

Register-ArgumentCompleter -Native -CommandName 'relay', 'relay.exe' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
    $current = if ($wordToComplete) { $wordToComplete } else { '""' }
    relay completions powershell -- @words $current 2>$null | Where-Object { $_ -notlike '${anyPath}*' } | ForEach-Object {
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
      description: "bash, zsh, fish or powershell",
    },
  },
  takesRest: true,
  run({ args: { shell = "" }, rest, data: { print }, verbs }) {
    const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
    const shells = Object.keys(scripts).join(", ");
    if (!script) throw usageError("completions", `${shell ? `unknown shell "${shell}"` : "missing shell"} (${shells})`);
    const text = rest.length === 0 ? script : answer(shell, rest, verbs);
    if (text !== "") print(text);
  },
});

function answer(shell: string, parts: readonly string[], verbs: Verbs): string {
  const words = shell === "bash" ? joinFlags(parts) : parts;
  const current = words.at(-1) ?? "";
  const skipped = shell === "bash" && current.startsWith("--") ? current.indexOf("=") + 1 : 0;
  return complete(verbs, words)
    .map(({ word, description }) => `${word.slice(skipped)}\t${description}`)
    .join("\n");
}

/** Joins `--flag`, `=` and `value`, into which bash splits a flag. bash takes only the value for an answer. */
function joinFlags(parts: readonly string[]): string[] {
  const words: string[] = [];
  for (const [index, part] of parts.entries()) {
    const isContinued = part === "=" || parts[index - 1] === "=";
    if (isContinued && words.at(-1)?.startsWith("--")) words.push(`${words.pop()}${part}`);
    else words.push(part);
  }
  return words;
}
