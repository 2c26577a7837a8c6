import { askAdministrator, obstacleTo, refusedSettings, serverStatus } from "../setup/claude-view.ts";
import { type Finding, fail, ok, type Subject, warn } from "./check.ts";
import { type Configuration, serverIn, switchedBy } from "./configuration.ts";

/** What Claude Code makes of relay: hooks and a server that a policy, the person or a project switched off. */
export async function checkEffect({
  configuration,
  context,
}: Pick<Subject, "configuration" | "context">): Promise<Finding[]> {
  const { code, plugin, project, problems } = configuration;
  const servers = [code, ...project].map(serverIn).filter((server) => server !== undefined);
  if (servers.length === 0 && !plugin) return [];
  const name = plugin && serverIn(code) === undefined ? "plugin:relay:relay" : "relay";
  const [status, refused] = await Promise.all([
    serverStatus(context, name, context.folder),
    problems.length > 0 ? [] : refusedSettings(context), // else they are reported
  ]);
  const off = switchedOff(configuration);
  return [
    ...(off.length > 0 ? off : [ok("/get", windows)]),
    ...serverFinding(status, context, servers[0]),
    ...refused.map(settingFinding),
  ];
}

function settingFinding(words: string): Finding {
  const [name, detail] = ["settings", `Claude Code says: ${words}`];
  if (/\b(skipped|ignored)\b/.test(words)) return warn(name, detail, "Correct it.");
  return fail(name, detail, "Correct it: until then Claude Code ignores the whole file, and relay's hooks in it.");
}

// VS Code's extension never runs the hook (anthropics/claude-code#92652).
const windows =
  "works in Claude Code in a terminal, also VS Code's or JetBrains'; in VS Code's extension and Claude Desktop say get";

function serverFinding(status: string | null, context: Subject["context"], server: unknown): Finding[] {
  const name = "server of Code";
  if (status === null || status.startsWith("✔")) return [];
  if (/pending approval/i.test(status)) return [ok(name, "pending approval: Claude Code asks you when it starts here")];
  if (status === "") {
    const { setting, fix } = obstacleTo(context, server) ?? {
      setting: "a policy from elsewhere",
      fix: askAdministrator,
    };
    return [fail(name, `is kept out of Claude Code by ${setting}`, fix)];
  }
  return [fail(name, `Claude Code says: ${status}`, fixOf(status))];
}

function fixOf(status: string): string {
  if (status.includes("disabledMcpjsonServers")) return "Take relay out of that list.";
  return /disabled/i.test(status) ? "Type /mcp in Claude Code here, and enable relay." : "Run: claude mcp get relay";
}

const noTicket = "so /get finds no ticket and refuses";

const switches = [
  { key: "disableAllHooks", name: "hooks", consequence: noTicket },
  { key: "allowManagedHooksOnly", name: "hooks", consequence: noTicket },
  { key: "disableSkillShellExecution", name: "inline commands", consequence: "so /get brings nothing" },
  {
    key: "allowManagedPermissionRulesOnly",
    name: "rules",
    consequence: "so /get may not run, and models may read the buffer's file",
  },
];

function switchedOff(configuration: Configuration): Finding[] {
  return switches.flatMap(({ key, name, consequence }) => {
    const file = switchedBy(configuration, key);
    if (!file) return [];
    const { path, scope } = file;
    const fix = `${askAdministrator} It is in ${path}; until then say get, and approve.`;
    const detail = `are switched off by ${key} in the ${scope} settings, ${consequence}`;
    return [fail(name, detail, scope === "managed" ? fix : `Remove it from ${path}`)];
  });
}
