import { join } from "node:path";
import { RelayError } from "../core/errors.ts";
import {
  allCommandNames,
  type CommandKind,
  commandFile,
  commandNames,
  isCommandFile,
  isUneditedCommandFile,
  type Started,
  withProgram,
} from "./claude-code.ts";
import { isOriginalCommand, isOriginalPreview, previewName } from "./original.ts";
import { type FileChange, type Plan, problems, readRecordedFile, recordedChange } from "./plan.ts";
import { hashOf, type InstallRecord } from "./record.ts";
import { readContent } from "./write-file.ts";

/**
 * Installs the commands as `/get` and `/send`, or as `/relay` and `/relay-send` for a person who has others of those names,
 * and removes the original's files. Answers their names, too. Throws a `failed` error if both names of a
 * command are taken.
 */
export function planCommands(records: InstallRecord, claudeFolder: string, started: Started) {
  const plan = (kind: CommandKind) => planCommand(records, claudeFolder, started, kind);
  const [get, send] = [plan("get"), plan("send")];
  const original = removeOriginal(records, previewPath(claudeFolder), isOriginalPreview);
  return { name: get.name, sendName: send.name, changes: [...get.changes, ...send.changes, ...original] };
}

function planCommand(records: InstallRecord, claudeFolder: string, started: Started, kind: CommandKind) {
  const names: readonly string[] = commandNames[kind];
  const name = names.find((candidate) => isFree(claudeFolder, candidate));
  if (!name) {
    throw new RelayError(
      "failed",
      `both /${names.join(" and /")} are other commands or skills in ${claudeFolder}`,
      "Rename one of them, and run this again.",
    );
  }
  const others = names.filter((other) => other !== name);
  const changes = [
    ...writeCommand(records, commandPath(claudeFolder, name), started, kind, name),
    ...others.flatMap((other) => removeOther(records, commandPath(claudeFolder, other))),
  ];
  return { name, changes };
}

/** The possible paths of the commands and of the original's files. */
export function commandPaths(claudeFolder: string): string[] {
  return [...allCommandNames.map((name) => commandPath(claudeFolder, name)), previewPath(claudeFolder)];
}

function previewPath(claudeFolder: string): string {
  return join(claudeFolder, "scripts", previewName);
}

function commandPath(claudeFolder: string, name: string): string {
  return join(claudeFolder, "commands", `${name}.md`);
}

// A skill of the person's beats a command of the same name (facts.md).
function isFree(claudeFolder: string, name: string): boolean {
  if (readContent(join(claudeFolder, "skills", name, "SKILL.md"))) return false;
  const content = readContent(commandPath(claudeFolder, name));
  return content === null || isCommandFile(content.toString()) || isOriginalCommand(content);
}

function writeCommand(
  records: InstallRecord,
  path: string,
  { program, buffer }: Started,
  kind: CommandKind,
  name: string,
): FileChange[] {
  const file = readRecordedFile(records, path);
  const text = file.content?.toString() ?? "";
  const isRelays = isCommandFile(text);
  const isEdited = isRelays && !file.isUntouched && !isUneditedCommandFile(text);
  const written = Buffer.from(commandFile(program, buffer, kind));
  const after = isEdited ? Buffer.from(withProgram(text, program, buffer)) : written;
  if (file.content?.equals(after)) return [];
  const change = recordedChange(file, isRelays ? file.original : file.content, after, {
    section: "Claude Code",
    mark: "+",
    what: `installs the command /${name}`,
    done: [`installed the command /${name}`],
  });
  // the record has the unedited file, so that uninstall leaves an edited one alone
  return [{ ...change, record: { ...change.record, after: hashOf(written) } }];
}

function removeOther(records: InstallRecord, path: string): FileChange[] {
  const isRelays = isCommandFile(readContent(path)?.toString() ?? "");
  if (!isRelays) return removeOriginal(records, path, isOriginalCommand);
  return planCommandRemoval(records, path).changes ?? [];
}

function removeOriginal(
  records: InstallRecord,
  path: string,
  isOriginal: (content: Uint8Array) => boolean,
): FileChange[] {
  const file = readRecordedFile(records, path);
  if (!file.content || !isOriginal(file.content)) return [];
  return [
    recordedChange(file, file.content, null, {
      section: "Claude Code",
      mark: "–",
      what: "removes a file of the Python server",
      done: ["removed a file of the Python server"],
    }),
  ];
}

/**
 * Removes the command's file, and restores the one before it. A file with a person's edits stays. Without a record, only
 * a file as setup writes it is removed.
 */
export function planCommandRemoval(records: InstallRecord, path: string): Partial<Plan> {
  const { content: before, record, isUntouched, original } = readRecordedFile(records, path);
  const isUnedited = isUntouched || (before !== null && isUneditedCommandFile(before.toString()));
  if (!record && !isUnedited) return {};
  const after = isUnedited ? original : before;
  const step = after === null ? removesCommand : restoresFile;
  const left =
    isUnedited || before === null
      ? []
      : [`${path} has changes of yours, so it stays. Delete it: without relay it does nothing.`];
  return { changes: [{ ...step, path, before, after, record: null }], lines: problems("Claude Code", left) };
}

const removesCommand = {
  section: "Claude Code",
  mark: "–",
  what: "removes the command",
  done: ["removed the command"],
} as const;

const restoresFile = {
  section: "Claude Code",
  mark: "–",
  what: "restores the file from before setup",
  done: ["restored the file from before setup"],
} as const;
