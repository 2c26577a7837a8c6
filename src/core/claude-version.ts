/** The first Claude Code that heeds `requiresUserInteraction` (facts.md): before it, a model could fetch by itself. */
export const firstProtected = "2.1.199";

/** Whether a Claude Code of this version asks its person before a message is read. `false` for what is no version. */
export function isProtected(version: string): boolean {
  const parts = numbers(version);
  const wanted = numbers(firstProtected) ?? [];
  if (!parts) return false;
  const differing = wanted.findIndex((number, index) => parts[index] !== number);
  return differing < 0 || (parts[differing] ?? 0) > (wanted[differing] ?? 0);
}

function numbers(version: string): number[] | undefined {
  return /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number);
}
