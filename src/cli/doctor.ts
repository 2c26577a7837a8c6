import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../core/clock.ts";
import { RelayError } from "../core/errors.ts";
import { version } from "../core/version.ts";
import type { Finding, ServerCommand, Subject } from "../doctor/check.ts";
import { systemNotifier } from "../notify/system-notifier.ts";
import { cleanEnvironment, temporaryFolder } from "../platform/environment.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./context.ts";

export const command = defineCommand({
  meta: { name: "doctor", description: "Say what is wrong with relay here, and how to mend it" },
  args: {
    notify: { type: "boolean", description: "Also show a test notification" },
    repair: { type: "boolean", description: "Rebuild a damaged buffer from what can be read of it" },
    json: { type: "boolean", description: "Print JSON" },
  },
  async run({ args, data }) {
    const context = data as Context;
    const { notify = false, json = false } = args;
    if (args.repair) return repair(context, json);
    const checks = await examineHere(context, notify);
    const failures = checks.filter(({ status }) => status === "fail").length;
    const { tellChecks } = await import("./doctor-report.ts");
    context.print(json ? JSON.stringify({ ok: failures === 0, checks }) : tellChecks(checks, context));
    if (failures === 0) return;
    const what = failures === 1 ? "one thing does" : `${failures} things do`;
    throw new RelayError("failed", `${what} not work. Each has its fix beside it.`);
  },
});

async function repair({ environment, print }: Context, json: boolean): Promise<void> {
  const path = environment.bufferPath();
  const { repairBuffer } = await import("../store/repair.ts");
  const done = await repairBuffer(path, { clock: systemClock, system: environment.system() });
  const { repairJson, tellRepair } = await import("./repair-report.ts");
  print(json ? JSON.stringify(repairJson(path, done)) : tellRepair(path, done));
}

async function examineHere(context: Context, notify: boolean): Promise<Finding[]> {
  const [{ setupContext }, { readConfiguration }, { examine }] = await Promise.all([
    import("./apply.ts"),
    import("../doctor/configuration.ts"),
    import("../doctor/examine.ts"),
  ]);
  const { environment } = context;
  const surroundings = setupContext(context);
  const folder = mkdtempSync(join(temporaryFolder(), "relay-doctor-"));
  const subject: Subject = {
    surroundings,
    configuration: readConfiguration(surroundings.places, surroundings.folder),
    version,
    bufferPath: environment.bufferPath,
    probe: (server) => probe(server, folder),
    notifier: notify ? systemNotifier(environment.system) : null,
  };
  try {
    return await examine(subject);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Starts a server as its client does, but in a folder where nobody plants files, and over a buffer of its own: it would
 * announce what waits in the person's.
 */
async function probe({ command, args, env }: ServerCommand, folder: string) {
  const { probe } = await import("./peer.ts");
  const own = { RELAY_DB: join(folder, `${crypto.randomUUID()}.db`), RELAY_NOTIFY: "off" };
  return probe({ command, args, env: { ...cleanEnvironment(), ...env, ...own }, version, folder });
}
