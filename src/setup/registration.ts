import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { RelayError } from "../errors.ts";
import { readContent } from "./file.ts";
import { mergeFile } from "./json-file.ts";
import { jsonText } from "./json-text.ts";
import type { Errand, FileChange } from "./plan.ts";
import type { InstallRecord } from "./record.ts";
import { runProgram } from "./run.ts";
import { entryOver, ownerOf, type ServerEntry, serverPlacement } from "./servers.ts";
import type { Surroundings } from "./surroundings.ts";

/** How a server gets registered. */
interface Registration {
  errands: Errand[];
  changes: FileChange[];
}

/**
 * Registers the server for the person, by Claude Code itself, which rewrites its file whenever it likes. Throws a
 * `failed` error if a server of somebody else's has the name.
 */
export function planUserServer(
  { system, places }: Surroundings,
  claude: string,
  wanted: ServerEntry,
): Registration {
  const existing = registered(places.claudeConfig);
  const entry = entryOver(wanted, existing);
  if (Bun.deepEquals(existing, entry, true)) return { errands: [], changes: [] };
  refuseForeign(existing, places.claudeConfig);
  const add = [claude, "mcp", "add-json", "relay", JSON.stringify(entry), "--scope", "user"];
  const run = async (argv: string[]) => {
    const { failure } = await runProgram(argv, system, places.home);
    if (failure)
      throw new RelayError(
        "failed",
        `Claude Code did not take the server: ${failure}. Run by hand: ${argv.slice(1, 4).join(" ")} …`,
      );
  };
  return {
    changes: [],
    errands: [
      ...(existing === undefined
        ? []
        : [
            {
              argv: remove(claude),
              what: "takes out the server that was there",
              run: () => run(remove(claude)),
            },
          ]),
      {
        argv: add,
        what: "registers the server",
        async run() {
          await run(add);
          if (Bun.deepEquals(registered(places.claudeConfig), entry, true)) return;
          throw new RelayError(
            "failed",
            `Claude Code said that it took the server, but ${places.claudeConfig} does not have it. Run this again.`,
          );
        },
      },
    ],
  };
}

/** The errand that takes the person's registration out again; none if there is none of relay's. */
export function planUserServerRemoval({ system, places }: Surroundings, claude: string): Errand[] {
  if (ownerOf(registered(places.claudeConfig)) !== "relay") return [];
  const argv = remove(claude);
  const run = async () => {
    const { failure } = await runProgram(argv, system, places.home);
    if (failure)
      throw new RelayError(
        "failed",
        `Claude Code did not take the server out: ${failure}. Run by hand: claude mcp remove relay`,
      );
  };
  return [{ argv, what: "takes the server out", run }];
}

/** Registers the server for everybody who works in this folder. Throws as {@link planUserServer}, and if the file lies elsewhere. */
export function planProjectServer(
  record: InstallRecord,
  { folder }: Surroundings,
  wanted: ServerEntry,
): Registration {
  const path = join(folder, ".mcp.json");
  refuseElsewhere(path, folder);
  const what = "registers the server for this project";
  const change = mergeFile(
    record,
    path,
    (json) => [checkedPlacement(json.at(["mcpServers", "relay"]), path, wanted)],
    what,
  );
  return { errands: [], changes: change ? [change] : [] };
}

/** relay's entry in this file. Throws a `failed` error if a server of somebody else's has the name. */
export function checkedPlacement(existing: unknown, path: string, wanted: ServerEntry) {
  refuseForeign(existing, path);
  return serverPlacement(wanted);
}

function remove(claude: string): string[] {
  return [claude, "mcp", "remove", "relay", "--scope", "user"];
}

function registered(config: string): unknown {
  const content = readContent(config);
  return content ? jsonText(content.toString(), config).at(["mcpServers", "relay"]) : undefined;
}

function refuseForeign(existing: unknown, path: string): void {
  if (existing === undefined || ownerOf(existing) !== "somebody") return;
  throw new RelayError(
    "failed",
    `${path} has another server by the name of relay. Rename that one, and run this again.`,
  );
}

// The folder is anybody's, and a link in it could lead to a file of the person's that has nothing to do with it.
function refuseElsewhere(path: string, folder: string): void {
  if (readContent(path) === null || dirname(realpathSync(path)) === realpathSync(folder)) return;
  throw new RelayError(
    "failed",
    `${path} is a link to a file outside of this folder. Put a file of its own there.`,
  );
}
