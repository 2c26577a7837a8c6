import { resolve } from "node:path";
import { errorMessage } from "../core/errors.ts";
import { realPathOrNull } from "../platform/files.ts";
import { findClaude, stablePath } from "../setup/program.ts";
import { isPersonsServer, localServer } from "../setup/project-server.ts";
import { allowedIn, bufferOf, ownerOf } from "../setup/servers.ts";
import { isAcrossWsl } from "../setup/setup-context.ts";
import { isDesktopInstalled } from "../setup/setup-plan.ts";
import { type Check, type Finding, fail, ok, type ServerCommand, type Subject, unchecked, warn } from "./check.ts";
import { type ConfigFile, commandIn, serverIn } from "./configuration.ts";

/** Whether Claude Code has relay registered, and the registered server starts and answers. */
export const checkCodeServer: Check = async (subject) => {
  const { code, plugin, project } = subject.configuration;
  const { system, places } = subject.context;
  const name = "server of Code";
  const fix = "Run: relay setup-code";
  if (code && serverIn(code) !== undefined) return [await checkServer(subject, name, code, fix)];
  if (plugin) return [ok(name, "comes with relay's plugin")];
  const shared = project.find((file) => ownerOf(serverIn(file)) === "relay");
  if (shared) return [ok(name, `is registered for this project, in ${shared.path}`)]; // others may have written it
  return findClaude(system, places.home) ? [fail(name, "is not registered in Claude Code", fix)] : [];
};

/** The same for Claude Desktop, in each of its configurations. Names it if it is not installed. */
export const checkDesktopServer: Check = async (subject) => {
  const { desktop, bundles } = subject.configuration;
  const title = "Claude Desktop";
  const name = "server of Desktop";
  const fix = "Quit Claude Desktop, run relay setup-desktop, and start it again.";
  if (isAcrossWsl(subject.context)) return [unchecked(title, "is on the Windows side; there, run: relay doctor")];
  if (desktop.length === 0 && !isDesktopInstalled(subject.context))
    return [
      warn(title, "is not installed: there is no folder of its own", "Install it, then run: relay setup-desktop"),
    ];
  const registered = desktop.filter((file) => serverIn(file) !== undefined);
  const found = await Promise.all(registered.map((file) => checkServer(subject, name, file, fix)));
  if (bundles.length > 0) return found.length > 0 ? found : [ok(name, "comes with relay's bundle")];
  const missing = desktop.filter((file) => !registered.includes(file)).map(({ path }) => path);
  if (desktop.length === 0) missing.push(title);
  return [...found, ...missing.map((place) => fail(name, `is not registered in ${place}`, fix))];
};

/** The folders from which the model of Claude Desktop may send files. */
export const checkDesktopFiles: Check = ({ configuration }) => {
  const entries = configuration.desktop.map(serverIn).filter((entry) => ownerOf(entry) === "relay");
  if (entries.length === 0) return [];
  const folders = [...new Set(entries.flatMap(allowedIn))].filter((folder) => folder !== "off");
  const name = "files of Desktop";
  if (folders.length > 0) return [ok(name, `its model may send files from ${folders.join(", ")}`)];
  return [unchecked(name, "its model may send none; relay setup-desktop --allow-files DIR allows a folder")];
};

async function checkServer({ probe, version }: Subject, name: string, file: ConfigFile, fix: string): Promise<Finding> {
  const entry = serverIn(file);
  const owner = ownerOf(entry);
  if (owner === "original") return fail(name, `is still the Python server, in ${file.path}`, fix);
  if (owner !== "relay") {
    const detail = `another program's server is called relay in ${file.path}`;
    return fail(name, detail, `Rename that server. ${fix}`);
  }
  const server = commandOf(entry);
  if (!server) return fail(name, `has an argument or a variable that is not a string, in ${file.path}`, fix);
  const shown = [server.command, ...server.args].join(" ");
  try {
    const answer = await probe(server);
    if (!answer.tools.includes("relay_send")) return fail(name, `${shown} answers, but is not relay`, fix);
    if (answer.version === version) return ok(name, `starts and answers: ${shown}`);
    return warn(name, `${shown} is relay ${answer.version}, and this is ${version}`, fix);
  } catch (error) {
    return fail(name, `${shown} does not start and answer: ${errorMessage(error)}`, fix);
  }
}

/** The command of an entry of relay's; `null` if a client would reject it. */
function commandOf(entry: unknown): ServerCommand | null {
  const { command, args = [], env = {} } = entry as ServerCommand;
  const isObject = typeof env === "object" && env !== null && !Array.isArray(env);
  const values: unknown[] = isObject ? [...args, ...Object.values(env)] : [null];
  return values.every((value) => typeof value === "string") ? { command, args, env } : null;
}

/** The project's servers by the name of relay, which Claude Code starts in place of the person's. */
export const checkProjectServers: Check = ({ configuration: { code, project }, context }) => {
  const { folder, executable, system } = context;
  const own = { program: stablePath(executable, system), buffer: bufferOf(serverIn(code)), find: system.find };
  const servers = [
    ...project.map((file) => ({ place: file.path, entry: serverIn(file) })),
    { place: `${code?.path}, for this folder`, entry: code?.at(localServer(folder)) },
  ];
  return servers
    .filter(({ entry }) => entry !== undefined)
    .map(({ place, entry }) => {
      if (isPersonsServer(entry, own)) return ok("project", `relay is registered in ${place}, too`);
      return warn("project", `another server called relay, in ${place}, replaces yours here`, "Rename it.");
    });
};

/** The buffer that each side opens. With two buffers, messages silently never arrive. */
export const checkSameBuffer: Check = ({ configuration, context, bufferPath, database }) => {
  const { code, desktop, settings } = configuration;
  const { defaultBufferPath } = context.places;
  const inSettings = settings.map((file) => file.at(["env", "RELAY_DB"])).find(isPath) ?? defaultBufferPath;
  const ofCode = code ? usesOf("Code", code, inSettings) : [];
  const uses = [
    ...ofCode,
    ...ofCode.map(() => ({ side: "/get", path: commandIn(configuration)?.buffer ?? inSettings })),
    ...desktop.flatMap((file) => usesOf("Desktop", file, defaultBufferPath)),
  ];
  const [path] = uses.map((use) => use.path);
  if (path === undefined) return [];
  const name = "same buffer";
  if (uses.some((use) => real(use.path) !== real(path))) {
    const paths = uses.map((use) => `${use.side} ${use.path}`);
    const fix = "Set RELAY_DB to the one that you want, or unset it, and run: relay setup";
    return [fail(name, `the Claudes use different buffers: ${paths.join(", ")}`, fix)];
  }
  if (path === defaultBufferPath && databaseOrNull(database)) return []; // the check of the database tells of it
  const shellPath = pathOrNull(bufferPath);
  if (shellPath === null || real(shellPath) === real(path)) return [ok(name, `every Claude here uses ${path}`)];
  const detail = `every Claude here uses ${path}, and RELAY_DB here is ${shellPath}`;
  return [warn(name, detail, "Unset RELAY_DB in this shell, or run: relay setup")];
};

function usesOf(side: string, file: ConfigFile, fallback: string): { side: string; path: string }[] {
  if (!["relay", "original"].includes(ownerOf(serverIn(file)))) return [];
  return [{ side, path: bufferOf(serverIn(file)) ?? fallback }];
}

function isPath(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function pathOrNull(bufferPath: () => string): string | null {
  try {
    return bufferPath();
  } catch {
    return null; // the check of the buffer reports the error
  }
}

function databaseOrNull(database: Subject["database"]): ReturnType<Subject["database"]> {
  try {
    return database();
  } catch {
    return null; // the check of the database reports the error
  }
}

// One file may have several paths.
function real(path: string): string {
  return realPathOrNull(path) ?? resolve(path);
}
