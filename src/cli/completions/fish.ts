import type { Flag, Tree, Verb } from "./tree.ts";

/** A completion script for fish 3 and later. */
export function fishCompletions({ verbs, offered, bare }: Tree): string {
  const first = verbs
    .filter(({ name }) => offered.includes(name))
    .map((verb) => complete("__relay_in ''", ["-a", words([verb.name]), "-d", quoted(verb.description)]));
  return `# fish completions of relay. For every shell from now on:
#   relay completions fish > ~/.config/fish/completions/relay.fish

# Whether the words before the cursor have one of these verbs: none yet is '', a flag in its place is -.
function __relay_in
    set -l tokens (commandline -opc)
    set -l verb "$tokens[2]"
    string match -q -- '-*' "$verb"; and set verb -
    contains -- "$verb" $argv
end

# Whether the argument of this verb and number is being typed; what follows them are the flags that take a value.
function __relay_at
    __relay_in $argv[1]; or return 1
    set -l place 1
    set -l valued no
    for token in (commandline -opc)[3..]
        if string match -q -- '-*' "$token"
            set valued no
            contains -- "$token" $argv[3..]; and set valued yes
        else if test $valued = yes
            set valued no
        else
            set place (math $place + 1)
        end
    end
    test $place = $argv[2]
end

complete -c relay -f
${[...first, ...linesOf(bare, "__relay_in '' -"), ...verbs.flatMap((verb) => linesOf(verb, `__relay_in ${quoted(verb.name)}`))].join("\n")}
`;
}

function linesOf({ name, flags, positionals }: Verb, condition: string): string[] {
  const valued = flags.filter(({ value }) => value).map((flag) => quoted(flag.name));
  const places = positionals.flatMap(({ choices }, index) => {
    const place = `__relay_at ${[quoted(name), index + 1, ...valued].join(" ")}`;
    return choices.length > 0 ? [complete(place, ["-a", words(choices)])] : [];
  });
  return [...flags.map((flag) => complete(condition, flagOptions(flag))), ...places];
}

// -x: a value must follow, and it is no file
function flagOptions({ name, description, value }: Flag): string[] {
  const choices = value && value.choices.length > 0 ? ["-a", words(value.choices)] : [];
  return ["-l", quoted(name.slice(2)), ...(value ? ["-x"] : []), ...choices, "-d", quoted(description)];
}

function complete(condition: string, options: string[]): string {
  return ["complete -c relay -n", quoted(condition), ...options].join(" ");
}

// fish expands the list once more when it completes
function words(list: readonly string[]): string {
  return quoted(list.map((word) => (/^[\w-]+$/.test(word) ? word : quoted(word))).join(" "));
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
