import { description } from "../core/version.ts";
import { type Argument, type Command, defineCommand, unknownVerb, type Verbs } from "./command.ts";
import type { Context } from "./context.ts";
import { slashCommand } from "./own-commands.ts";

/** The verbs that people type, in groups, with examples. */
const groups: Record<string, Record<string, string[]>> = {
  Messages: {
    send: ['relay send --to code "The tests pass."', "git diff | relay send --to desktop"],
    get: ["relay get --for code", "relay get --for desktop --peek"],
    status: ["relay status"],
    log: ["relay log", "relay log --from code --since 2d", 'relay log --search "plan" -n 100'],
    show: ["relay show 41"],
    save: ["relay save 41", "relay save 41 --to ~/Downloads"],
    resend: ["relay resend 41"],
    clear: ["relay clear"],
  },
  Setup: {
    setup: ["relay setup", "relay setup --dry-run"],
    doctor: ["relay doctor", "relay doctor --notify"],
    demo: ["relay demo"],
    uninstall: ["relay uninstall", "relay uninstall --purge"],
    connect: ["relay connect postgres://me@host/relay", "relay connect postgres://admin@host/relay --create-role me"],
    disconnect: ["relay disconnect"],
  },
  More: {
    "setup-code": ["relay setup-code --statusline", "relay setup-code --scope project"],
    "setup-desktop": ["relay setup-desktop"],
    serve: ["relay serve --client desktop", "relay serve --client code --sound off"],
    completions: ["source <(relay completions bash)", "relay completions fish | source"],
    help: ["relay help send"],
    version: ["relay version"],
  },
};

const examples = ["relay setup", 'relay send --to code "The tests pass."', "git diff | relay send --to desktop"];

/** A term, its description, and the value that the term takes. */
type Row = [term: string, description: string, value?: string];

const environment: Row[] = [
  ["RELAY_DB", "The buffer's absolute path (default ~/.relay_buffer.db), or a postgres:// URL"],
  ["RELAY_HISTORY", "Days to keep what left the window (default 90), or off"],
  ["RELAY_NOTIFY", "auto (default), or off for no notifications"],
  ["NO_COLOR", "No colour on a terminal"],
  ["PAGER", "The pager for long output (default less); empty for none"],
  ["CLAUDE_CONFIG_DIR", "Claude Code's folder (default ~/.claude)"],
];

const bufferRow: Row = ["    --db", "The buffer's absolute path, or a postgres:// URL; wins over RELAY_DB", "PATH"];
const helpRow: Row = ["-h, --help", "Show this help"];

const exitCodes: Row[] = [
  ["0", "Done"],
  ["1", "Failed"],
  ["2", "Wrong usage"],
  ["3", "Refused inside Claude Code, where only you may pull"],
  ["4", "The buffer cannot be used"],
];

// Longer lines are hard to read, and shorter ones are no lines.
const widest = 100;
const narrowest = 20;

export const command = defineCommand({
  meta: { name: "help", description: "Show all commands, or the flags and examples of one" },
  args: { command: { type: "positional", required: false, description: "Which command" } },
  run({ args: { command: verb }, data: context, verbs }) {
    if (verb === undefined) return context.print(renderOverview(verbs, context));
    const found = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
    if (!found) throw unknownVerb(verb, verbs);
    context.print(renderCommand(found, context));
  },
});

function renderOverview(verbs: Verbs, context: Context): string {
  const get = slashCommand("get", context.environment);
  const listed = Object.entries(groups).map(([title, group]): [string, Row[]] => [
    title,
    Object.keys(group).map((verb) => [verb, verbs[verb]?.meta.description ?? ""]),
  ]);
  return [
    ...renderHead(`${description}.`, "relay COMMAND [FLAGS]", context),
    ...renderTables(listed, context),
    renderLines("Examples", examples, context),
    ...renderTables([["Flags of every command", [bufferRow, helpRow]]], context),
    ...renderTables([["Environment", environment]], context),
    ...renderTables([["Exit status", exitCodes]], context),
    wrap(`For flags and examples: relay help COMMAND. In Claude Code, type ${get}.`, 0, context),
  ].join("\n\n");
}

function renderCommand({ meta: { name, description }, args = {} }: Command, context: Context): string {
  const [words = [], flags = []] = [true, false].map((isWord) =>
    Object.entries(args).filter(([, { type }]) => (type === "positional") === isWord),
  );
  const usage = ["relay", name, "[FLAGS]", ...words.map(([word]) => `[${word.toUpperCase()}]`)].join(" ");
  const tables: [string, Row[]][] = [
    ["Arguments", words.map(([word, argument]) => [word.toUpperCase(), argument.description])],
    ["Flags", [...flags.map(flagRow), helpRow]],
  ];
  const lines = Object.values(groups).flatMap((group) => group[name] ?? []);
  return [
    ...renderHead(`${description}.`, usage, context),
    ...renderTables(tables, context),
    ...(lines.length > 0 ? [renderLines("Examples", lines, context)] : []),
  ].join("\n\n");
}

function flagRow([name, argument]: [name: string, argument: Argument]): Row {
  const short = argument.alias ? `-${argument.alias},` : "   ";
  const value = argument.type === "enum" ? argument.options.join("|") : (argument.valueHint ?? "");
  return [`${short} --${name}`, argument.description, value];
}

function renderHead(description: string, usage: string, context: Context): string[] {
  return [wrap(description, 0, context), `${context.style("stdout", "bold", "Usage:")} ${usage}`];
}

/** Tables below their titles. The descriptions of all begin in one column. */
function renderTables(tables: readonly [title: string, rows: Row[]][], context: Context): string[] {
  const widthOf = ([term, , value]: Row) => term.length + (value ? 1 + value.length : 0);
  const column = 4 + Math.max(...tables.flatMap(([, rows]) => rows.map(widthOf)));
  const render = (row: Row) => {
    const [term, description, value] = row;
    const shown = value ? `${term} ${context.style("stdout", "dim", value)}` : term;
    return `${shown}${" ".repeat(column - 2 - widthOf(row))}${wrap(description, column, context)}`;
  };
  return tables
    .filter(([, rows]) => rows.length > 0)
    .map(([title, rows]) => renderLines(title, rows.map(render), context));
}

function renderLines(title: string, lines: readonly string[], { style }: Context): string {
  return [style("stdout", "bold", title), ...lines.map((line) => `  ${line}`)].join("\n");
}

/** Wraps a text that begins in this column to the width of the terminal. */
function wrap(text: string, column: number, { environment: { screen } }: Context): string {
  const width = Math.max(Math.min(screen().columns, widest) - column, narrowest);
  return Bun.wrapAnsi(text, width).replaceAll("\n", `\n${" ".repeat(column)}`);
}
