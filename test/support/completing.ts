import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { relayBinary, type Sandbox } from "./sandbox.ts";

/** The shells in which something can be completed. */
export const shells = ["bash", "zsh", "fish"] as const;

/**
 * Asks the real shell how it would complete a command line, with relay's script in force. Answers the words, sorted,
 * each without the flag before its equals sign. `program` is run in relay's place.
 */
export async function complete(
  box: Sandbox,
  shell: (typeof shells)[number],
  line: string,
  program = `exec "${relayBinary}" "$@"`,
): Promise<string[]> {
  const [script, driver] = [join(box.home, "script"), join(box.home, "driver")];
  writeFileSync(script, (await box.relay(["completions", shell])).stdout);
  writeFileSync(driver, drivers[shell]);
  writeFileSync(join(box.programs, "relay"), `#!/bin/sh\n${program}\n`, { mode: 0o755 });
  const argv = ["timeout", "60", shell, ...withoutConfiguration[shell], driver, script, line];
  const { status, stdout, stderr } = await box.run(argv, { env: { TERM: "dumb" } });
  if (status !== 0 || stderr) throw new Error(`${shell} ${status}: ${stderr}`);
  const words = stdout.split("\n").filter(Boolean);
  return [...new Set(words.map((word) => word.replace(/^--[\w-]+=/, "")))].sort();
}

const withoutConfiguration = { bash: ["--norc"], zsh: ["-f"], fish: ["--no-config"] };

const drivers = {
  // readline's own way of taking a line apart: at spaces, and around an equals sign
  bash: `set -u
source "$1"
line=$2
[[ $(complete -p relay) == 'complete -F _relay relay' ]] || exit 1
read -ra COMP_WORDS <<<"\${line//=/ = }"
[[ $line == *' ' ]] && COMP_WORDS+=('')
# readline's own, outside of readline
compopt() { [[ $* == '-o default' ]] && mapfile -t COMPREPLY < <(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"); }
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)) COMP_LINE=$line COMP_POINT=\${#line}
_relay relay "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD - 1]}"
for word in \${COMPREPLY[@]+"\${COMPREPLY[@]}"}; do printf '%s\\n' "$word"; done
`,
  fish: `source $argv[1]
complete -C "$argv[2]" | string replace -r '\\t.*' ''
exit 0
`,
  // A line editor on a private terminal; the words that it would add go to a file.
  zsh: `zmodload zsh/zpty
zpty terminal zsh -f -i
print -r -- "PS1= PS2= RPS1= ZLE_RPROMPT_INDENT=0
autoload -Uz compinit; compinit -u -D; source \${(q)1}
compadd() {
  local -a found
  builtin compadd -O found \\"\\$@\\"
  (( \\$#found )) && print -rl -- \\$found >>\${(q)1}.found
  builtin compadd \\"\\$@\\"
}
look() { _main_complete; : >\${(q)1}.done; compstate[insert]= compstate[list]= }
zle -C look complete-word look; bindkey '^I' look
: >\${(q)1}.found; : >\${(q)1}.ready" >$1.rc
zpty -w terminal "source \${(q)1}.rc"
while [[ ! -e $1.ready ]]; do zpty -rt terminal >/dev/null; sleep 0.02; done
zpty -wn terminal "$2"$'\\t'
while [[ ! -e $1.done ]]; do zpty -rt terminal >/dev/null; sleep 0.02; done
cat $1.found
zpty -d terminal
`,
};
