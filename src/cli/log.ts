import { printableJson } from "../core/escape.ts";
import { refuseInsideClaudeCode } from "../core/identity.ts";
import { checkProject } from "../core/validate.ts";
import { quoteValue } from "../core/words.ts";
import { defineCommand, usageError } from "./command.ts";
import { viewLog } from "./log-view.ts";
import { slashCommand } from "./own-commands.ts";
import { show } from "./terminal-view.ts";

const defaultLimit = 20;

export const command = defineCommand({
  meta: { name: "log", description: "List the last messages, and when each was read" },
  args: {
    limit: { type: "string", alias: "n", valueHint: "N", description: `How many at most (default ${defaultLimit})` },
    from: { type: "enum", options: ["desktop", "code"], description: "Only messages from this side" },
    project: { type: "string", valueHint: "NAME", description: "Only messages of this project" },
    search: { type: "string", valueHint: "TEXT", description: "Only messages with this text" },
    since: {
      type: "string",
      valueHint: "WHEN",
      description: "Only messages since then: 30m, 12h, 2d, 3w, or a date like 2026-11-01",
    },
    json: { type: "boolean", description: "Print JSON, with the texts byte for byte" },
  },
  async run({ args, data: context }) {
    const { environment } = context;
    refuseInsideClaudeCode("relay log", environment, () => `${slashCommand("get", environment)} 41 (one message)`);
    const limit = checkCount(args.limit);
    const { from, search } = args;
    const filters = { from, search, project: checkProject(args.project) ?? undefined, since: checkSince(args.since) };
    const found = await context.relay().store.log({ limit: limit + 1, ...filters });
    const messages = found.slice(-limit);
    if (args.json) return context.print(printableJson({ messages }));
    const isFiltered = Object.values(filters).some((filter) => filter !== undefined);
    if (messages.length === 0)
      return context.note(`relay: ${isFiltered ? "no message matches" : "there is no message"}.`);
    const log = viewLog(messages, context);
    if (!environment.terminal.stdout) return context.print(log);
    const more = found.length > limit ? ` · Older ones: -n ${limit * 2}` : "";
    const hint = context.style("stdout", "dim", `A whole message: relay show ${messages.at(-1)?.id}${more}`);
    await (await show(`${log}\n\n${hint}`, context)).ended;
  },
});

function checkCount(word = `${defaultLimit}`): number {
  if (/^\d{1,9}$/.test(word) && Number(word) > 0) return Number(word);
  throw usageError("log", `--limit is ${quoteValue(word)}; it must be a whole number, at least 1`);
}

const minutes: Record<string, number> = { m: 1, h: 60, d: 24 * 60, w: 7 * 24 * 60 };

/** The moment that a word names: so long ago, or the beginning of a day on the person's own clock. */
function checkSince(word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  const [, count, unit = ""] = /^(\d{1,5})([mhdw])$/i.exec(word) ?? [];
  if (count !== undefined) return Date.now() - Number(count) * (minutes[unit.toLowerCase()] ?? 0) * 60_000;
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(word) ?? [];
  const date = new Date(Number(year), Number(month) - 1, Number(day));
  if (date.getMonth() === Number(month) - 1 && date.getDate() === Number(day)) return date.getTime();
  throw usageError("log", `--since is ${quoteValue(word)}; it must be like 30m, 12h, 2d, 3w or 2026-11-01`);
}
