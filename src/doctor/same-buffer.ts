import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import { ownerOf } from "../setup/servers.ts";
import { type Check, fail, ok, warn } from "./check.ts";
import type { ConfigFile, SettingsFile } from "./configuration.ts";

// Documents of Claude Code, "Settings precedence".
const strongestFirst: SettingsFile["scope"][] = ["managed", "project-local", "project", "user"];

/** Which buffer each side would open: with two, messages silently never arrive. */
export const checkSameBuffer: Check = ({ configuration, surroundings, bufferPath }) => {
  const { defaultBufferPath } = surroundings.places;
  const { code, desktop, settings } = configuration;
  const ofSettings = strongestFirst
    .flatMap((scope) => settings.filter((file) => file.scope === scope))
    .map((file) => text(file.at(["env", "RELAY_DB"])))
    .find((path) => path !== null);
  const sides: { side: string; path: string }[] = [
    ...servers(code ? [code] : [], "Code", ofSettings ?? defaultBufferPath),
    ...(code?.at(["mcpServers", "relay"]) === undefined
      ? []
      : [{ side: "/get", path: ofSettings ?? defaultBufferPath }]),
    ...servers(desktop, "Desktop", defaultBufferPath),
  ];
  const paths = new Set(sides.map(({ path }) => real(path)));
  if (paths.size > 1) {
    const told = sides.map(({ side, path }) => `${side} ${path}`).join(", ");
    return [
      fail(
        "same buffer",
        `the two sides would never meet: ${told}`,
        "Set RELAY_DB to the one that you want, or not at all, and run: relay setup",
      ),
    ];
  }
  const [path] = sides.map((each) => each.path);
  if (path === undefined) return [];
  const here = own(bufferPath);
  if (here !== null && real(here) !== real(path)) {
    return [
      warn(
        "same buffer",
        `both Claudes use ${path}, and RELAY_DB here is ${here}`,
        "Unset RELAY_DB in this shell, or run: relay setup",
      ),
    ];
  }
  return [ok("same buffer", `everybody uses ${path}`)];
};

function servers(files: readonly ConfigFile[], side: string, otherwise: string) {
  return files
    .filter((file) => ownerOf(file.at(["mcpServers", "relay"])) !== "other")
    .map((file) => ({ side, path: text(file.at(["mcpServers", "relay", "env", "RELAY_DB"])) ?? otherwise }));
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function own(bufferPath: () => string): string | null {
  try {
    return bufferPath();
  } catch {
    return null; // the buffer's own check says why
  }
}

/** The same file may have several paths. */
function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}
