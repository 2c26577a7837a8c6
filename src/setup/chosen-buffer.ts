import { join } from "node:path";
import { RelayError } from "../core/errors.ts";
import { desktopConfigName } from "../platform/paths.ts";
import { jsonText, type Path } from "./json-text.ts";
import type { Surroundings } from "./setup-context.ts";
import { readContent } from "./write-file.ts";

/**
 * The buffer file that both Claudes are to open, if it is not the usual one: by `RELAY_DB`, else as they are registered
 * already, so that setting up again moves nobody away from messages that wait. Throws a `failed` error if one side is
 * registered with another file than the other, and nothing says which it shall be.
 */
export function chosenBuffer({ buffer, places }: Pick<Surroundings, "buffer" | "places">): string | null {
  if (buffer) return buffer;
  const entry: Path = ["mcpServers", "relay", "env", "RELAY_DB"];
  const found = [
    valueIn(places.claudeConfig, entry),
    valueIn(join(places.claudeFolder, "settings.json"), ["env", "RELAY_DB"]),
    ...places.desktopFolders.map((folder) => valueIn(join(folder, desktopConfigName), entry)),
  ];
  const [first, ...others] = [...new Set(found.filter((value) => typeof value === "string"))];
  if (others.length === 0) return first ?? null;
  throw new RelayError(
    "failed",
    `the two Claudes are set up with different buffers, ${first} and ${others[0]}. Set RELAY_DB to the one to keep, and run this again.`,
  );
}

// What is wrong with a file is said where it is to be changed.
function valueIn(path: string, at: Path): unknown {
  try {
    return jsonText(
      readContent(path)
        ?.toString()
        .replace(/^\uFEFF/, "") ?? "",
      path,
    ).at(at);
  } catch {
    return undefined;
  }
}
