import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { isFile, readTextOrNull } from "./files.ts";

/** The name of the repository that a folder is in, the same for all its worktrees; the folder's own name without one. */
export function repositoryName(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    const git = join(at, ".git");
    if (existsSync(git)) return basename(mainFolder(at, git)).replace(/\.git$/, "");
    if (dirname(at) === at) return basename(folder);
  }
}

/** The main worktree's folder. A further worktree has a file for `.git` that names a folder of the main one (gitrepository-layout(5)). */
function mainFolder(at: string, git: string): string {
  // an archive may bring a pipe or a link to a device, which has no end
  const [, link] = (isFile(git) && readTextOrNull(git)?.match(/^gitdir: (.+)/)) || [];
  const common = link && resolve(at, link).match(/^(.+)[\\/]worktrees[\\/][^\\/]+$/)?.[1];
  if (!common) return at;
  return basename(common).startsWith(".") ? dirname(common) : common; // a bare repository has no folder around it
}
