import type { Flag, Tree, Value, Verb } from "./tree.ts";

/** A completion script for zsh, as a file `_relay` in `$fpath` or to be sourced. */
export function zshCompletions({ verbs, offered, bare }: Tree): string {
  const descriptions = verbs
    .filter(({ name }) => offered.includes(name))
    .map(({ name, description }) => `      ${quoted(`${escaped(name, ":")}:${description}`)}`);
  return `#compdef relay
# zsh completions of relay. For every shell from now on, into a folder that is in $fpath:
#   relay completions zsh > ~/.zfunc/_relay
# or in ~/.zshrc, after compinit: source <(relay completions zsh)

_relay() {
  local verb=$words[2]
  if (( CURRENT == 2 )) && [[ $verb != -* ]]; then
    local -a verbs
    verbs=(
${descriptions.join("\n")}
    )
    _describe command verbs
    return
  fi
  if [[ $verb == -* ]]; then
    verb=''
  else
    shift words
    (( CURRENT -= 1 ))
  fi
  case $verb in
${[bare, ...verbs].map(caseOf).join("\n")}
  esac
}

if [[ $funcstack[1] == _relay ]]; then
  _relay "$@"
else
  compdef _relay relay
fi
`;
}

function caseOf({ name, flags, positionals }: Verb): string {
  const specs = [
    ...flags.map(flagSpec),
    ...positionals.map((value, index) => `${index + 1}:${message(value)}`),
  ];
  return `  (${quoted(name)})
    _arguments -S ${specs.map((spec) => `\\\n      ${quoted(spec)}`).join(" ")} ;;`;
}

// --help makes everything else useless, and so does --version
function flagSpec({ name, description, value }: Flag): string {
  const exclusive = name === "--help" || name === "--version" ? "(- *)" : "";
  const argument = value ? `${value.optional ? "::" : ":"}${message(value)}` : "";
  return `${exclusive}${name}${value ? "=" : ""}[${escaped(description, "[]:")}]${argument}`;
}

// An action that is a space completes nothing: without one, zsh would offer files.
function message({ name, choices }: Value): string {
  const action =
    choices.length > 0 ? `(${choices.map((word) => escaped(word, " :()'\"$`")).join(" ")})` : " ";
  return `${escaped(name, ":")}:${action}`;
}

function escaped(text: string, special: string): string {
  return [...text]
    .map((letter) => (letter === "\\" || special.includes(letter) ? `\\${letter}` : letter))
    .join("");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
