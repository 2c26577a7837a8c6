import { join } from "node:path";
import { RelayError } from "../core/errors.ts";
import { runProgram } from "../platform/process.ts";
import { objectIn, readJsonObject } from "./json-file.ts";
import { findClaude, needsShell } from "./program.ts";
import type { SetupContext } from "./setup-context.ts";

type Machine = Pick<SetupContext, "system" | "places">;

/** Advice for a policy. */
export const askAdministrator = "Only the administrator of this machine can change that.";

/** The setting that keeps relay's server, with this entry, out of Claude Code, and its fix; `null` if there is none. */
export function obstacleTo({ system, places }: Machine, server: unknown): { setting: string; fix: string } | null {
  const { managedServers, managedSettings, claudeFolder } = places;
  if (system.exists(managedServers)) return { setting: `the policy in ${managedServers}`, fix: askAdministrator };
  const own = join(claudeFolder, "settings.json");
  const lists = (name: string) =>
    [...managedSettings, own].flatMap((path) => {
      const list = readJsonObject(path)[name];
      const fix = path === own ? "Change that list." : askAdministrator;
      return Array.isArray(list) ? [{ setting: `${name} in ${path}`, fix, list }] : [];
    });
  const { command, args } = objectIn(server);
  const argv = [command, ...(Array.isArray(args) ? args : [])];
  const hasName = (entry: unknown) => objectIn(entry).serverName === "relay";
  const hasCommand = (entry: unknown) => Bun.deepEquals(objectIn(entry).serverCommand, argv);
  const denying = lists("deniedMcpServers").find(({ list }) => list.some(hasName) || list.some(hasCommand));
  const allowing = lists("allowedMcpServers");
  const allowed = allowing.flatMap(({ list }) => list);
  // a list with commands allows local servers by these alone (seen, 2.1.330)
  const isAllowed = allowed.some(allowed.some((entry) => objectIn(entry).serverCommand) ? hasCommand : hasName);
  return denying ?? (isAllowed ? null : (allowing[0] ?? null));
}

/** Throws a `failed` error if a setting keeps relay's server, with this entry, out of Claude Code. */
export function refuseObstacle(machine: Machine, server: unknown): void {
  const { setting, fix } = obstacleTo(machine, server) ?? {};
  if (!setting) return;
  const advice = `${fix} For Claude Desktop alone, run: relay setup-desktop`;
  throw new RelayError("failed", `relay is kept out of Claude Code by ${setting}`, advice);
}

/**
 * Claude Code's words on the state of a server in this folder, such as `✔ Connected`; empty if it does not know the server,
 * `null` if it does not answer within some seconds. It starts the server if the person approved it.
 */
export async function serverStatus(machine: Machine, name: string, folder: string): Promise<string | null> {
  const { stdout, failure } = await ask(machine, ["mcp", "get", name], folder);
  if (failure?.includes("No MCP server named")) return "";
  return /^ {2}Status: (.*)$/m.exec(stdout)?.[1] ?? null;
}

/**
 * Claude Code's words on each of the person's settings that it refuses: the file, the setting and the reason; none if it does
 * not answer within some seconds. In the home folder, because older versions start a project's servers for that (its help).
 */
export async function refusedSettings(machine: Machine): Promise<string[]> {
  const { stdout } = await ask(machine, ["doctor"], machine.places.home);
  const [section = ""] = /^Invalid settings\n(?:.+\n)*/m.exec(stdout) ?? [];
  return [...section.matchAll(/^- (.*)$/gm)].map(([, words = ""]) => words);
}

async function ask({ system, places }: Machine, words: string[], folder: string) {
  const claude = findClaude(system, places.home);
  if (!claude || needsShell(claude)) return { stdout: "", failure: null };
  // this shell's choice of notifications is not that of the person's Claude Code, and a server stores it
  const { RELAY_NOTIFY: _, ...variables } = system.variables;
  // a server that names no buffer, such as the plugin's, would announce what waits in the usual one
  // its doctor asks npm, which would leave a log in the home folder
  const env = { ...variables, RELAY_DB: join(places.claudeConfig, "none"), npm_config_logs_max: "0" };
  return runProgram({ argv: [claude, ...words], env }, { folder, limitMilliseconds: 15_000 });
}
