import type { NewAttachment } from "../core/attachment.ts";
import { RelayError } from "../core/errors.ts";
import { isInsideClaudeCode } from "../core/identity.ts";
import { fileBytes } from "../core/limits.ts";
import { checkFileName, checkFiles } from "../core/validate.ts";
import { folderOf } from "../platform/ancestors.ts";
import { readAll } from "../platform/input.ts";
import { modelRules, newAttachment, readFiles } from "../platform/outgoing-files.ts";
import { usageError } from "./command.ts";
import type { Context } from "./context.ts";

/**
 * Reads the files at these paths; `-` is standard input, under this name. Inside Claude Code the rules for models hold. Throws
 * a `usage` error, and the errors of {@link readFiles}.
 */
export async function readNamedFiles(
  paths: readonly string[],
  name: string | undefined,
  { environment }: Context,
): Promise<NewAttachment[]> {
  checkFiles(paths);
  const piped = paths.filter((path) => path === "-").length;
  if (piped > 1) throw usageError("send", "--file - is given twice");
  if (piped === 1 && name === undefined) throw usageError("send", "--file - needs --name NAME");
  if (piped === 0 && name !== undefined) throw usageError("send", "--name is the name of --file -, which is missing");
  const input = piped === 1 ? newAttachment(checkFileName(name), await readInput()) : null;
  const rules = isInsideClaudeCode(environment) ? modelRules([launchFolder(environment)], environment) : null;
  const read = readFiles(
    paths.filter((path) => path !== "-"),
    [process.cwd()],
    rules,
    input?.size,
  );
  return input ? read.toSpliced(paths.indexOf("-"), 0, input) : read;
}

/** The folder in which Claude Code was started, or this one where the system does not tell. */
function launchFolder({ claudeCode }: Context["environment"]): string {
  const claude = claudeCode.ancestors?.find(({ isClaudeCode }) => isClaudeCode);
  return (claude && folderOf(claude.pid)) ?? process.cwd();
}

async function readInput(): Promise<Uint8Array> {
  const bytes = await readAll(Bun.stdin.stream(), fileBytes);
  if (bytes) return bytes;
  throw new RelayError("failed", "standard input is over 8 MB, the limit of a file", "Send a part of it.");
}
