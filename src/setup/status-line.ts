import { join } from "node:path";
import { bufferFlag, isRelay } from "./claude-code.ts";
import { objectIn, readJsonObject } from "./json-file.ts";
import type { Entry } from "./merge.ts";
import { stablePath } from "./program.ts";
import type { Placed } from "./record.ts";
import { isAcrossWsl, type Launch, type SetupContext } from "./setup-context.ts";
import { shellWord, shellWords } from "./shell-words.ts";

/** How often Claude Code runs the status line of an idle session; without this, never (facts.md). */
export const refreshSeconds = 3;

/** The shell command of a status line: relay's alone, or after the person's own command. */
export function lineCommand(program: string, buffer: string | null = null, theirs: string | null = null): string {
  const after = theirs === null ? [] : [`--after=${theirs}`];
  return [program, "statusline", ...bufferFlag(buffer), ...after].map(shellWord).join(" ");
}

/** What a status line's command starts, if that is relay. */
interface Line {
  program: string;
  /** The person's command before relay's. */
  theirs: string | null;
  /** Whether it has a flag of relay's; without one it may be another program by that name. */
  isCertain: boolean;
}

/** What the status line in these settings starts; `null` if that is not relay. */
export function parseLine(statusLine: unknown): Line | null {
  const [program, verb, ...flags] = shellWords(objectIn(statusLine).command);
  if (!isRelay(program) || verb !== "statusline") return null;
  const after = flags.at(-1)?.startsWith("--after=") ? flags.pop() : undefined;
  if (flags.length !== 0 && (flags.length !== 2 || flags[0] !== "--db")) return null;
  const isCertain = flags.length > 0 || after !== undefined;
  return { program, theirs: after?.slice("--after=".length) ?? null, isCertain };
}

/** Whether relay can run a person's own command, which needs a POSIX shell where relay itself runs. */
export function canAppend(context: SetupContext): boolean {
  return context.system.kind !== "windows" && !isAcrossWsl(context);
}

/** Whether a status line is relay's, by its record, its flags or its program. */
export function isRelaysLine(line: unknown, program: string, placed: readonly Placed[] = []): boolean {
  const found = parseLine(line);
  if (!found) return false;
  const isPlaced = placed.some(({ path, value }) => path[0] === "statusLine" && Bun.deepEquals(value, line, true));
  return found.isCertain || isPlaced || ["relay", program].includes(found.program);
}

/** What setup may offer for the status line: a new one, or relay's part after the person's; `null` if nothing. */
export function lineOffer(context: SetupContext): "new" | "append" | null {
  const { statusLine } = readJsonObject(join(context.places.claudeFolder, "settings.json"));
  if (statusLine === undefined) return "new";
  return canAppend(context) && !isRelaysLine(statusLine, stablePath(context.executable, context.system))
    ? "append"
    : null;
}

/** The entries of a status line, given the one that is there. A person's own stays, and relay's part comes after it. */
export function lineEntries({ program, buffer }: Launch, existing: unknown, isRelays: boolean): Entry[] {
  const theirs = isRelays ? (parseLine(existing)?.theirs ?? null) : objectIn(existing).command;
  const interval = (value: unknown) => (typeof value === "number" ? value : refreshSeconds);
  if (typeof theirs !== "string") {
    const own = { type: "command", command: lineCommand(program, buffer) };
    const path = ["statusLine"];
    const value = (line: unknown) => ({
      ...objectIn(line),
      ...own,
      refreshInterval: interval(objectIn(line).refreshInterval),
    });
    // without a path in it, only the record tells it from another program's
    return [{ path, kind: "property", value, ...(buffer !== null && { remove: lineRemoval.remove }) }];
  }
  return [
    { ...lineRemoval, value: () => lineCommand(program, buffer, theirs) },
    { path: ["statusLine", "refreshInterval"], kind: "property", value: interval },
  ];
}

/** Takes relay out of a status line, and leaves the person's command. */
export const lineRemoval = {
  path: ["statusLine", "command"],
  kind: "property",
  value: (command) => command,
  remove(json) {
    const line = parseLine(json.at(["statusLine"]));
    if (!line?.isCertain) return json;
    return line.theirs === null ? json.remove(["statusLine"]) : json.set(["statusLine", "command"], line.theirs);
  },
} satisfies Entry;
