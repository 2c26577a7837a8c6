import { existsSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import { RelayError } from "../core/errors.ts";
import { isFile, readTextOrNull, realPathOrNull } from "./files.ts";
import { type Places, projectFoldersOf } from "./paths.ts";
import { isWithin } from "./system.ts";

/** A rule of Claude Code's settings that denies reading a file, and the settings. */
export interface DenyRule {
  rule: string;
  settings: string;
}

/**
 * Finds the `Read` rule, if there is one, by which Claude Code denies reading an absolute path: in the person's settings, the
 * administrator's, and those of each folder and the folders above it up to its repository. Throws a `failed` error for
 * settings that are no JSON: Claude Code ignores such a file, but its author wanted the rules.
 */
export function readDenyRules(places: Places, folders: readonly string[]): (path: string) => DenyRule | null {
  const { claudeFolder, managedSettings, home } = places;
  const projects = [...new Set(folders.flatMap((folder) => projectFoldersOf(folder, home)))];
  const files = [
    ...[...managedSettings, join(claudeFolder, "remote-settings.json")].map((path) => ({ path, base: folders })),
    { path: join(claudeFolder, "settings.json"), base: [claudeFolder] },
    ...projects.flatMap((folder) =>
      ["settings.json", "settings.local.json"].map((name) => ({ path: join(folder, ".claude", name), base: [folder] })),
    ),
  ];
  const rules = files.flatMap(({ path, base }) =>
    readRules(path).map((rule) => ({ rule, settings: path, matches: matcher(rule, base, folders, home) })),
  );
  return (path) => rules.find(({ matches }) => matches(path)) ?? null;
}

function readRules(path: string): string[] {
  const text = existsSync(path) && isFile(path) ? readTextOrNull(path)?.replace(/^\uFEFF/, "") : null;
  if (!text?.trim()) return [];
  const deny = parse(text, path)?.permissions?.deny;
  return Array.isArray(deny) ? deny.filter((rule) => typeof rule === "string" && /^Read(?:\(|$)/.test(rule)) : [];
}

function parse(text: string, path: string): { permissions?: { deny?: unknown } } | null {
  try {
    return JSON.parse(text);
  } catch {
    const problem = `${path} is not JSON, so relay does not know which files Claude Code may not read`;
    throw new RelayError("failed", problem, "Correct it; until then no file is sent.");
  }
}

/**
 * Whether a rule matches a path. Its pattern follows gitignore: `//path` from the root, `~/path` from the home folder, `/path`
 * from the settings' project, any other from the working directory (documents of Claude Code, "Permissions"). Case does not
 * count, `folder/**` is the same as `folder`, and links in the pattern count, too (read in 2.1.330). A `!` takes nothing back.
 */
function matcher(rule: string, base: readonly string[], folders: readonly string[], home: string) {
  const pattern = (/^Read\((.*)\)$/s.exec(rule)?.[1] ?? "**").replace(/^\.\//, "");
  const [, drive] = /^\/\/([a-z])\//i.exec(process.platform === "win32" ? pattern : "") ?? [];
  const [roots, rest] = drive
    ? [[`${drive}:\\`], pattern.slice(3)]
    : pattern.startsWith("//")
      ? [["/"], pattern.slice(1)]
      : pattern.startsWith("~/")
        ? [[home], pattern.slice(1)]
        : [pattern.startsWith("/") ? base : folders, pattern];
  const steps = rest.replace(/\/+/g, "/").replace(/(?:\/\*\*)?\/?$/, "");
  const glob = steps.includes("/") ? steps.replace(/^\//, "") : `**/${steps || "*"}`;
  const globs = roots
    .flatMap((root) => [{ root, glob }, ...withoutLinks(root, glob)])
    .map(({ root, glob }) => ({ root, glob: new Bun.Glob(escapeBraces(glob.toLowerCase())) }));
  return (path: string) =>
    globs.some(({ root, glob }) => {
      const parts = isWithin(path, root) ? relative(root, path).toLowerCase().split(sep) : [];
      return parts.some((_, index) => glob.match(parts.slice(0, index + 1).join("/")));
    });
}

/** The pattern with its links resolved, as far as it has no wildcards; nothing if there are none. */
function withoutLinks(root: string, glob: string): { root: string; glob: string }[] {
  const parts = glob.split("/");
  const wild = parts.findIndex((part) => /[*?[\\]/.test(part));
  const literal = join(root, ...parts.slice(0, wild < 0 ? undefined : wild));
  const real = realPathOrNull(literal);
  if (real === null || real === literal) return [];
  if (wild < 0) return [{ root: dirname(real), glob: basename(real).replace(/[*?[\]\\]/g, "\\$&") }];
  return [{ root: real, glob: parts.slice(wild).join("/") }];
}

// gitignore has no alternatives in braces.
function escapeBraces(glob: string): string {
  return glob.replace(/(?<!\\)[{}]/g, "\\$&");
}
