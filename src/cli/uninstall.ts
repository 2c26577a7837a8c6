import { existsSync, rmSync } from "node:fs";
import { makeVisible } from "../core/escape.ts";
import { refuseInsideClaudeCode } from "../core/identity.ts";
import { savedUrlPath } from "../platform/buffer-choice.ts";
import { receivedFolder } from "../platform/paths.ts";
import { bundleCopies } from "../setup/other-installs.ts";
import { stablePath } from "../setup/program.ts";
import { planRemoval } from "../setup/removal.ts";
import { bufferOverride, type SetupContext } from "../setup/setup-context.ts";
import { removeEmptyFolders } from "../setup/write-file.ts";
import { filesOfBuffer } from "../store/repair.ts";
import { apply, writableSetupContext } from "./apply.ts";
import { confirmDeletion, renderDeletion } from "./clear.ts";
import { defineCommand } from "./command.ts";

export const command = defineCommand({
  meta: { name: "uninstall", description: "Disconnect both Claudes and restore their configuration" },
  args: {
    purge: { type: "boolean", description: "Delete all messages and files, too, but none in a database" },
    yes: { type: "boolean", description: "Do not ask before messages are deleted" },
    "dry-run": { type: "boolean", description: "Show what would change, and change nothing" },
    json: { type: "boolean", description: "Print JSON" },
  },
  async run({ args, data: context }) {
    const { purge = false, yes = false, json = false, "dry-run": dryRun = false } = args;
    // it removes the hooks and rules that protect the person
    refuseInsideClaudeCode("relay uninstall", context.environment);
    const setup = writableSetupContext(context, "relay uninstall");
    const nothing = "relay is not set up; nothing to remove.";
    const options = { dryRun, json, nothing, continueOnError: true, remains: purge ? [] : whatRemains(setup) };
    const remove = () => apply(() => planRemoval(setup), setup, options, context);
    if (!purge) return void (await remove());
    const buffer = bufferOverride(setup) ?? context.environment.bufferPath();
    const database = remainsInDatabase(setup); // before its URL is deleted
    const { folder, copies } = bundleCopies(setup);
    const others = [receivedFolder(buffer), savedUrlPath(setup.places.home)];
    const files = () => [...filesOfBuffer(buffer), ...others.filter(existsSync), ...copies];
    const report = (lines: string[]) => (json ? context.note : context.print)(lines.join("\n"));
    if (dryRun) {
      await remove();
      return report(files().map((path) => `relay: --purge would delete ${makeVisible(path).text}`));
    }
    const relay = context.relay({ buffer });
    if (!yes) await confirmDeletion("relay uninstall --purge", await relay.store.counts(), context);
    try {
      await remove();
    } finally {
      // a clear overwrites the texts on the disk
      const cleared = await relay.store.clear("command line");
      relay.store.close();
      const deleted = files();
      for (const path of deleted) rmSync(path, { force: true, recursive: true });
      removeEmptyFolders([folder]);
      const lines = deleted.map((path) => `relay: deleted ${makeVisible(path).text}`);
      report([renderDeletion(cleared), ...lines, ...whatRemains(setup, database)]);
    }
  },
});

/** What uninstall leaves, where it is, and how to delete it. Looks before the registrations are gone, which name the buffer. */
function whatRemains(setup: SetupContext, database = remainsInDatabase(setup)): string[] {
  const buffer = chosenBuffer(setup) ?? setup.places.defaultBufferPath;
  const program = stablePath(setup.executable, setup.system);
  const places = [buffer, receivedFolder(buffer)].filter((path) => existsSync(path));
  const messages =
    places.length > 0
      ? `your messages, in ${places.join(" and ")} (to delete them: relay uninstall --purge), and `
      : "";
  return [`What remains: ${messages}${database}relay itself: ${program}`];
}

function remainsInDatabase({ places: { home } }: SetupContext): string {
  if (!existsSync(savedUrlPath(home))) return "";
  return "your messages in the database (to delete them: relay clear while it is connected), and ";
}

function chosenBuffer(setup: SetupContext): string | null {
  try {
    return bufferOverride(setup);
  } catch {
    return null; // the two Claudes have different ones
  }
}
