import { join } from "node:path";
import { RelayError } from "../core/errors.ts";
import { commandFile, commandNames, isCommandFile, repointed } from "./claude-code.ts";
import { isOriginalCommand, isOriginalPreview, previewName } from "./original.ts";
import { type FileChange, fileChange, readSince } from "./plan.ts";
import { hashOf, type InstallRecord } from "./record.ts";
import { readContent } from "./write-file.ts";

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
    if (each === name) return writeCommand(record, path, program, `installs the command /${name}`);
    const content = readContent(path);
    if (content && isCommandFile(content.toString())) return planCommandRemoval(record, path);
    return content && isOriginalCommand(content) ? retire(record, path) : null;
  });
  const preview = previewOf(claudeFolder);
  const content = readContent(preview);
  if (content && isOriginalPreview(content)) changes.push(retire(record, preview));
  return { name, changes: changes.filter((change) => change !== null) };
}

/** The files that the command, and the original's, may be in. */
export function commandPaths(claudeFolder: string): string[] {
  return [...commandNames.map((name) => pathOf(claudeFolder, name)), previewOf(claudeFolder)];
}

function previewOf(claudeFolder: string): string {
  return join(claudeFolder, "scripts", previewName);
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

// A description or a model that somebody wrote into the file stays.
function writeCommand(record: InstallRecord, path: string, program: string, what: string): FileChange | null {
  const { before, known, untouched, original } = readSince(record, path);
  const isPlain = before !== null && isPlainCommand(before.toString());
  const isEdited = before !== null && !untouched && !isPlain && isCommandFile(before.toString());
  const after = Buffer.from(isEdited ? repointed(before.toString(), program) : commandFile(program));
  if (before?.equals(after)) return null;
  const base = untouched || isPlain || (isEdited && known) ? original : before;
  const change = fileChange(record, path, { before, base }, after, { placed: [], containers: [], what });
  if (!isEdited || !change.record) return change;
  // as if it had been written anew and edited since: so uninstall leaves it to its author
  const written = hashOf(Buffer.from(commandFile(program)));
  return { ...change, record: { ...change.record, after: written, previous: null } };
}

function retire(record: InstallRecord, path: string): FileChange {
  const before = readContent(path);
  const what = "takes away what the Python server installed";
  return fileChange(record, path, { before, base: before }, null, { placed: [], containers: [], what });
}

/**
 * What takes a file of the command's, under whatever name, away again, and brings back what stood there before. One
 * that somebody changed stays: Claude Code has no use for it any more, but it holds work of theirs. Without a
 * record it goes if it is just what setup writes.
 */
export function planCommandRemoval(record: InstallRecord, path: string): FileChange | null {
  const { before, known, untouched, original } = readSince(record, path);
  const isPlain = before !== null && isPlainCommand(before.toString());
  if (!known && !isPlain) return null;
  const after = untouched || isPlain ? original : before;
  const what =
    after === null
      ? "takes the command away"
      : untouched || isPlain
        ? "brings back what was there before"
        : "was changed by you and stays. Delete it: without relay it does nothing.";
  return { path, before, after, what, record: null };
}

/** Whether a command file is just as setup writes it, for whatever program. */
function isPlainCommand(text: string): boolean {
  const plain = /^[\s\S]*?!`'?(.*?)'? typed`\s*$/.exec(text)?.[1]?.replaceAll("'\\''", "'");
  return isCommandFile(text) && plain !== undefined && text === commandFile(plain);
}
