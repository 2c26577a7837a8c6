/** The first Claude Code that obeys `requiresUserInteraction` (facts.md); an older one lets a model fetch by itself. */
export const firstProtected = "2.1.199";

/** The first Claude Code that knows relay's hooks; an older one ignores a settings file that has them (facts.md). */
export const firstWithHooks = "2.1.101";

/** Whether a Claude Code of this version asks its person before a message is read; `false` for prereleases and for other text. */
export function isProtected(version: string): boolean {
  return Bun.semver.satisfies(version, `>=${firstProtected}`);
}
