import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../core/clock.ts";
import { RelayError } from "../core/errors.ts";
import { printableJson } from "../core/escape.ts";
import { version } from "../core/version.ts";
import { plural } from "../core/words.ts";
import type { ListedFinding, ServerCommand, Subject } from "../doctor/check.ts";
import { readConfiguration } from "../doctor/configuration.ts";
import { examine } from "../doctor/examine.ts";
import { checkLeaks } from "../doctor/install-check.ts";
import { systemNotifier } from "../notify/system-notifier.ts";
import { cleanEnvironment, temporaryFolder } from "../platform/environment.ts";
import { withoutFlag } from "../setup/servers.ts";
import { chosenDatabase } from "../store/open-store.ts";
import { repairBuffer } from "../store/repair.ts";
import { setupContext } from "./apply.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./context.ts";
import { renderFindings } from "./doctor-report.ts";
import { McpClient } from "./mcp-client.ts";
import { renderRepair } from "./render.ts";

export const command = defineCommand({
  meta: { name: "doctor", description: "Check the installation and suggest fixes" },
  args: {
    notify: { type: "boolean", description: "Also show a test notification" },
    repair: { type: "boolean", description: "Rebuild a damaged buffer from the messages that can be read" },
    json: { type: "boolean", description: "Print JSON" },
  },
  async run({ args, data: context }) {
    const { notify = false, json = false } = args;
    if (args.repair) return repair(context, json);
    const checks = await examineHere(context, notify);
    const failures = checks.filter(({ status }) => status === "fail").length;
    context.print(json ? printableJson({ ok: failures === 0, checks }) : renderFindings(checks, context));
    if (failures === 0) return;
    const fixes = failures === 1 ? "fix" : "fixes";
    throw new RelayError("failed", `${plural(failures, "problem")} found; see the ${fixes} above`);
  },
});

async function repair({ environment, print }: Context, json: boolean): Promise<void> {
  const path = environment.bufferPath();
  const done = repairBuffer(path, systemClock);
  print(json ? printableJson({ ok: true, buffer: path, ...done }) : renderRepair(path, done));
}

async function examineHere(context: Context, notify: boolean): Promise<ListedFinding[]> {
  const { environment } = context;
  const setup = setupContext(context);
  const folder = mkdtempSync(join(temporaryFolder(), "relay-doctor-"));
  const subject: Subject = {
    context: setup,
    configuration: readConfiguration(setup.places, setup.folder),
    version,
    bufferPath: environment.bufferPath,
    database: () => chosenDatabase(environment.database()),
    probe: (server) => probe(server, folder),
    notifier: notify ? systemNotifier(environment.system) : null,
  };
  try {
    const leaks = checkLeaks(environment.claudeCode).map((finding) => ({
      ...finding,
      section: "This machine" as const,
    }));
    return [...leaks, ...(await examine(subject))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Starts a server as its client does, but in a private folder and over a buffer there: over the person's it would
 * announce unread messages.
 */
async function probe({ command, args, env }: ServerCommand, folder: string) {
  const overrides = { RELAY_DB: join(folder, `${crypto.randomUUID()}.db`), RELAY_NOTIFY: "off" };
  const client = await McpClient.start({
    command,
    args: withoutFlag(args, "--db"),
    env: { ...cleanEnvironment(), ...env, ...overrides },
    cwd: folder,
    clientInfo: { name: "relay-doctor", version },
  });
  try {
    return { version: client.serverVersion, tools: await client.listTools() };
  } finally {
    await client.close();
  }
}
