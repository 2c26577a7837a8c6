import { askAdministrator, obstacleTo, serverStatus } from "../setup/claude-view.ts";
import { type Finding, fail, ok, type Subject } from "./check.ts";
import { type Configuration, serverIn } from "./configuration.ts";

/** What Claude Code makes of relay: hooks and a server that a policy, the person or a project switched off. */
export async function checkEffect({
  configuration,
  context,
}: Pick<Subject, "configuration" | "context">): Promise<Finding[]> {
  const { code, plugin, project } = configuration;
  if (![code, ...project].some((file) => serverIn(file) !== undefined) && !plugin) return [];
  const name = plugin && serverIn(code) === undefined ? "plugin:relay:relay" : "relay";
  const status = await serverStatus(context, name, context.folder);
  return [ok("/get", windows), ...switchedOff(configuration), ...serverFinding(status, context)];
}

// VS Code's extension never runs the hook (anthropics/claude-code#92652).
const windows =
  "works in Claude Code in a terminal, also VS Code's or JetBrains'; in VS Code's extension and Claude Desktop say get";

function serverFinding(status: string | null, context: Subject["context"]): Finding[] {
  const name = "server of Code";
  if (status === null || status.startsWith("✔")) return [];
  if (/pending approval/i.test(status)) return [ok(name, "pending approval: Claude Code asks you when it starts here")];
  if (status === "") {
    const { setting, fix } = obstacleTo(context) ?? { setting: "a policy from elsewhere", fix: askAdministrator };
    return [fail(name, `is kept out of Claude Code by ${setting}`, fix)];
  }
  const fix = /disabled/i.test(status)
    ? "Type /mcp in Claude Code here, and enable relay."
    : "Run: claude mcp get relay";
  return [fail(name, `Claude Code says: ${status}`, fix)];
}

// Each of these files, even the project's, can switch off the person's hooks.
function switchedOff({ settings }: Configuration): Finding[] {
  const consequence = "so /get finds no ticket and refuses";
  return settings.flatMap(({ path, scope, at }) => {
    const findings: Finding[] = [];
    if (at(["disableAllHooks"]) === true) {
      const detail = `are switched off by disableAllHooks in the ${scope} settings, ${consequence}`;
      findings.push(
        fail("hooks", detail, scope === "managed" ? `${askAdministrator} It is in ${path}` : `Remove it from ${path}`),
      );
    }
    if (scope === "managed" && at(["allowManagedHooksOnly"]) === true) {
      const detail = `of yours are switched off by allowManagedHooksOnly, ${consequence}`;
      findings.push(fail("hooks", detail, `${askAdministrator} It is in ${path}; until then say get, and approve.`));
    }
    return findings;
  });
}
