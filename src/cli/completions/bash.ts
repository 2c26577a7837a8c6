import type { Tree, Verb } from "./tree.ts";

/**
 * A completion script for bash. It asks for no more than the bash 3.2 that macOS has, and never for `compgen -W`, which
 * would expand what it is given.
 */
export function bashCompletions({ verbs, offered, bare }: Tree): string {
  const cases = [entry("verb", offered), ...[bare, ...verbs].flatMap(casesOf)];
  return `# bash completions of relay. For every shell from now on:
#   relay completions bash > ~/.local/share/bash-completion/completions/relay
# or, where bash-completion is not installed, in ~/.bashrc: source <(relay completions bash)

# What may stand at a place of the command line; fails if nothing is known of that place.
_relay_words() {
  words=()
  case $1 in
${cases.join("\n")}
  *) return 1 ;;
  esac
}

_relay() {
  local current=\${COMP_WORDS[COMP_CWORD]} verb=\${COMP_WORDS[1]} words=() word flag='' place=1 index
  COMPREPLY=()
  if [[ $COMP_CWORD == 1 && $current != -* ]]; then
    _relay_words verb
  else
    index=2
    [[ $verb == -* ]] && verb='' index=1
    for ((; index < COMP_CWORD; index++)); do
      word=\${COMP_WORDS[index]}
      if [[ $word == -- ]]; then
        return
      elif [[ $word == = && $flag ]]; then
        continue # readline takes --flag=value apart
      elif [[ $word == -* ]]; then
        flag=''
        _relay_words "$verb $word" && flag=$word
      elif [[ $flag ]]; then
        flag=''
      else
        ((place += 1))
      fi
    done
    [[ $current == = && $flag ]] && current=''
    if [[ $flag && $current != -* ]]; then
      _relay_words "$verb $flag"
    elif [[ $current == -* ]]; then
      _relay_words "$verb -"
    else
      _relay_words "$verb $place"
    fi
  fi
  for word in \${words[@]+"\${words[@]}"}; do
    [[ $word == "$current"* ]] && COMPREPLY+=("$word")
  done
}

complete -F _relay relay
`;
}

function casesOf({ name, flags, positionals }: Verb): string[] {
  const valued = flags.flatMap((flag) => (flag.value ? [{ ...flag, ...flag.value, name: flag.name }] : []));
  return [
    entry(
      `${name} -`,
      flags.map((flag) => flag.name),
    ),
    ...valued.map((flag) => entry(`${name} ${flag.name}`, flag.choices)),
    ...positionals.map(({ choices }, index) => entry(`${name} ${index + 1}`, choices)),
  ];
}

function entry(place: string, words: readonly string[]): string {
  return `  ${quoted(place)}) words=(${words.map(quoted).join(" ")}) ;;`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
