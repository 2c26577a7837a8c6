import { join } from "node:path";
import { RelayError } from "../errors.ts";
import { commandFile, commandNames, isCommandFile } from "./claude-code.ts";
import { readContent } from "./file.ts";
import { isOriginalCommand, isOriginalPreview, previewName } from "./original.ts";
import { type FileChange, fileChange, readSince } from "./plan.ts";
import type { InstallRecord } from "./record.ts";

/** The command under the name that it gets, and what has to change for that. */
interface CommandPlan {
  name: (typeof commandNames)[number];
  changes: FileChange[];
}

/**
 * How the command that reads messages gets into the person's commands: as `/get`, or as `/relay` where somebody else's
 * `get` stands, which is left alone. What the original left there goes. Throws a `failed` error if both names are taken.
 */
export function planCommand(record: InstallRecord, claudeFolder: string, program: string): CommandPlan {
  const name = commandNames.find((each) => isFree(claudeFolder, each));
  if (!name) {
    throw new RelayError(
      "failed",
      `both /get and /relay are commands or skills of somebody else's in ${claudeFolder}. Rename one of them, and run this again.`,
    );
  }
  const changes = commandNames.map((each) => {
    const path = pathOf(claudeFolder, each);
    if (each === name)
      return writeCommand(record, path, Buffer.from(commandFile(program)), `installs the command /${name}`);
    const content = readContent(path);
    if (content && isCommandFile(content.toString())) return takeAway(record, path);
    return content && isOriginalCommand(content) ? retire(record, path) : null;
  });
  const preview = join(claudeFolder, "scripts", previewName);
  const content = readContent(preview);
  if (content && isOriginalPreview(content)) changes.push(retire(record, preview));
  return { name, changes: changes.filter((change) => change !== null) };
}

/** What takes the command, under whatever name, away again, and brings back what stood there before. */
export function planCommandRemoval(record: InstallRecord, claudeFolder: string): FileChange[] {
  const preview = join(claudeFolder, "scripts", previewName);
  const paths = [...commandNames.map((name) => pathOf(claudeFolder, name)), preview];
  return paths.map((path) => takeAway(record, path)).filter((change) => change !== null);
}

function pathOf(claudeFolder: string, name: string): string {
  return join(claudeFolder, "commands", `${name}.md`);
}

// A skill of the person's beats a command of the same name (facts.md).
function isFree(claudeFolder: string, name: string): boolean {
  if (readContent(join(claudeFolder, "skills", name, "SKILL.md"))) return false;
  const content = readContent(pathOf(claudeFolder, name));
  return content === null || isCommandFile(content.toString()) || isOriginalCommand(content);
}

function writeCommand(record: InstallRecord, path: string, after: Buffer, what: string): FileChange | null {
  const { before, untouched, original } = readSince(record, path);
  if (before?.equals(after)) return null;
  const isOwn = before !== null && isCommandFile(before.toString());
  const base = untouched || isOwn ? original : before;
  return fileChange(record, path, { before, base }, after, { placed: [], containers: [], what });
}

function retire(record: InstallRecord, path: string): FileChange {
  const before = readContent(path);
  const what = "takes away what the Python server installed";
  return fileChange(record, path, { before, base: before }, null, { placed: [], containers: [], what });
}

/** A file that somebody changed stays, unless all there is in it is relay's command. */
function takeAway(record: InstallRecord, path: string): FileChange | null {
  const { before, known, untouched, original } = readSince(record, path);
  if (!known && !(before && isCommandFile(before.toString()))) return null;
  const isOwn = before !== null && isCommandFile(before.toString());
  const after = untouched || isOwn ? original : before;
  const what = after ? "brings back what was there before" : "takes the command away";
  return { path, before, after, what, record: null };
}
