import { describeLeak, isLeaked, type Traces, unsetThem } from "../core/leaked-variables.ts";
import { realPathOrNull } from "../platform/files.ts";
import { isOriginalCommand, isOriginalHook, isOriginalServer } from "../setup/original.ts";
import { findClaude, protectedVersion, stablePath } from "../setup/program.ts";
import { type Check, type Finding, failed, ok, warn } from "./check.ts";
import { type ConfigFile, serverIn } from "./configuration.ts";

/** The version and path of this relay, and whether a shell would start another one. */
export const checkProgram: Check = ({ context: { system, executable }, version }) => {
  const path = stablePath(executable, system);
  const program = ok("relay", `${version}, ${path}`);
  const found = system.findAll("relay");
  const [first = "", ...later] = found.filter((copy) => realPathOrNull(copy) !== realPathOrNull(executable));
  if (found.length === 0) {
    const fix = `Put the folder of ${path} into PATH.`;
    return [program, warn("PATH", "has no relay, so a shell does not find it", fix)];
  }
  if (!first) return [program];
  const detail =
    first === found[0]
      ? `a shell starts another relay: ${first}`
      : `there are other copies: ${[first, ...later].join(", ")}`;
  return [program, warn("PATH", detail, "Remove the one that you do not want, and run: relay setup")];
};

/** A variable of Bun, which runs inside relay: it changes every Bun program, and can keep relay from starting. */
export const checkVariables: Check = ({ context: { system } }) =>
  system.variables.BUN_OPTIONS
    ? [warn("environment", "sets BUN_OPTIONS, which changes how relay runs", "Unset BUN_OPTIONS where Claudes start.")]
    : [];

/** Variables of a Claude Code that live on in this terminal, where relay then refuses to read. */
export function checkLeaks(traces: Traces): Finding[] {
  return isLeaked(traces) ? [warn("variables", describeLeak(traces), `To use relay here, ${unsetThem}.`)] : [];
}

/** Whether Claude Code is one that asks its person before a model reads messages. */
export const checkClaudeCode: Check = async ({ context: { system, places } }) => {
  const name = "Claude Code";
  const program = findClaude(system, places.home);
  if (!program) {
    const fix = "Install it, then run: relay setup-code";
    return [warn(name, "is not installed: no claude in PATH or ~/.local/bin", fix)];
  }
  try {
    return [ok(name, `${await protectedVersion(program, system, places.home)}, ${program}`)];
  } catch (error) {
    return [failed(name, error)];
  }
};

/** A bundle beside setup's registration, with which Claude Desktop has everything twice. */
export const checkBundle: Check = ({ configuration: { bundles, desktop } }) => {
  const doubled = bundles.filter(({ configPath }) =>
    desktop.some((file) => file.path === configPath && serverIn(file) !== undefined),
  );
  return doubled.map(({ name }) => {
    const detail = `${name} is installed beside the registration, so Claude Desktop has every tool twice`;
    return warn("bundle", detail, "Remove it in Claude Desktop: Settings, Extensions.");
  });
};

/** The same for the plugin and Claude Code. */
export const checkPlugin: Check = ({ configuration: { plugin, code } }) => {
  if (!plugin || serverIn(code) === undefined) return [];
  const detail = `${plugin} is installed beside the registration, so Claude Code has everything twice`;
  return [warn("plugin", detail, `Run: claude plugin uninstall ${plugin}`)];
};

/** The rest of the Python server. The checks of the servers report one by the name of relay. */
export const checkOriginal: Check = ({ configuration }) => {
  const { code, desktop, settings, project, commands } = configuration;
  const leftovers = [
    ...[code, ...desktop, ...project].flatMap((file) => (file ? originalServersIn(file) : [])),
    ...settings.filter(hasOriginalHook).map(({ path }) => `its hook in ${path}`),
    ...commands.filter(({ content }) => isOriginalCommand(content)).map(({ name }) => `its command /${name}`),
  ];
  if (leftovers.length === 0) return [];
  const fix = "Run: relay setup, and remove the rest by hand.";
  return [warn("Python server", `is still there: ${leftovers.join(", ")}`, fix)];
};

function originalServersIn(file: ConfigFile): string[] {
  const servers = file.at(["mcpServers"]);
  if (typeof servers !== "object" || servers === null) return [];
  return Object.entries(servers)
    .filter(([name, entry]) => name !== "relay" && isOriginalServer(entry))
    .map(([name]) => `${name} in ${file.path}`);
}

function hasOriginalHook(file: ConfigFile): boolean {
  const entries = file.at(["hooks", "SessionStart"]);
  return Array.isArray(entries) && entries.flatMap((entry) => entry?.hooks ?? []).some(isOriginalHook);
}
