import { RelayError } from "../core/errors.ts";
import type { JsonText } from "./json-text.ts";

// The settings that relay reads or writes. With another type Claude Code ignores the whole file (seen, 2.1.330); a hook or a
// rule of a wrong form it only skips.
const types = {
  boolean: ["disableAllHooks", "sandbox.enabled"],
  array: ["permissions.allow", "permissions.ask", "permissions.deny", "sandbox.excludedCommands"],
  object: ["enabledPlugins", "env", "permissions", "sandbox", "statusLine"],
};

/** Refuses settings that Claude Code would ignore, with a `failed` error that names `file` and the setting. */
export function refuseWrongTypes(settings: JsonText, file: string): void {
  for (const [type, keys] of Object.entries(types)) {
    for (const key of keys) {
      const value = settings.at(key.split("."));
      const found = Array.isArray(value) ? "array" : value === null ? "null" : typeof value;
      if (value === undefined || found === type) continue;
      const problem = `"${key}" in ${file} is not ${type === "boolean" ? "a" : "an"} ${type}, so Claude Code ignores the whole file`;
      throw new RelayError("failed", problem, "It was left alone; correct it or move it away, and run this again.");
    }
  }
}
