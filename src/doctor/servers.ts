import { errorMessage } from "../core/errors.ts";
import { activePlugin, installedBundle } from "../setup/other-installs.ts";
import { findClaude } from "../setup/program.ts";
import { isWellFormed, ownerOf } from "../setup/servers.ts";
import { type Check, type Finding, fail, ok, type Subject, warn } from "./check.ts";
import type { ConfigFile } from "./configuration.ts";

const way = ["mcpServers", "relay"];

/** Whether Claude Code has relay registered, and that very server starts and answers. */
export const checkCodeServer: Check = async (subject) => {
  const { configuration, surroundings } = subject;
  const name = "server of Code";
  const mend = "Run: relay setup-code";
  const entry = configuration.code?.at(way);
  if (entry !== undefined && configuration.code)
    return [await checkEntry(subject, name, configuration.code, mend)];
  if (activePlugin(surroundings.places.claudeFolder)) return [ok(name, "comes with relay's plugin")];
  if (!findClaude(surroundings.system, surroundings.places.home)) return [];
  return [fail(name, "is not registered in Claude Code", mend)];
};

/** The same for Claude Desktop, in each of its configurations. */
export const checkDesktopServer: Check = async (subject) => {
  const { configuration, surroundings } = subject;
  const { system, places } = surroundings;
  const name = "server of Desktop";
  const mend = "Quit Claude Desktop, run relay setup-desktop, and start it again.";
  const registered = configuration.desktop.filter((file) => file.at(way) !== undefined);
  const missing = configuration.desktop.filter((file) => file.at(way) === undefined);
  const found = await Promise.all(registered.map((file) => checkEntry(subject, name, file, mend)));
  if (places.desktopFolders.some((folder) => installedBundle(folder))) {
    return registered.length > 0 ? found : [ok(name, "comes with relay's bundle")];
  }
  const absent = missing.map(({ path }) => fail(name, `is not registered in ${path}`, mend));
  if (found.length + absent.length > 0) return [...found, ...absent];
  return places.desktopFolders.some(system.exists)
    ? [fail(name, "is not registered in Claude Desktop", mend)]
    : [];
};

async function checkEntry(
  { probe, version }: Subject,
  name: string,
  file: ConfigFile,
  mend: string,
): Promise<Finding> {
  const entry = file.at(way);
  const owner = ownerOf(entry);
  if (owner === "original") return fail(name, `is still the Python server, in ${file.path}`, mend);
  if (owner === "other") {
    return fail(
      name,
      `a server of somebody else's is called relay in ${file.path}`,
      `Rename that one. ${mend}`,
    );
  }
  if (!isWellFormed(entry as Record<string, unknown>))
    return fail(name, `has an argument or a variable that is no text, in ${file.path}`, mend);
  const {
    command,
    args = [],
    env = {},
  } = entry as { command: string; args?: string[]; env?: Record<string, string> };
  const shown = [command, ...args].join(" ");
  try {
    const answer = await probe({ command, args, env });
    if (!answer.tools.includes("relay_send")) return fail(name, `${shown} answers, but is no relay`, mend);
    if (answer.version === version) return ok(name, `starts and answers: ${shown}`);
    return warn(name, `${shown} is relay ${answer.version}, and this is ${version}`, mend);
  } catch (error) {
    return fail(name, `${shown} does not start and answer: ${errorMessage(error)}`, mend);
  }
}
