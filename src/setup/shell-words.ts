/** A word for a POSIX shell. On Windows, where Claude Code uses one too, a path gets slashes. */
export function shellWord(path: string): string {
  const text = /^[A-Za-z]:\\/.test(path) ? path.replaceAll("\\", "/") : path;
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The words of a shell command, if each is one that `shellWord` writes; none of any other, which may be more than words. */
export function shellWords(command: unknown): string[] {
  if (typeof command !== "string" || !/^(?:[\w@%+=:,./-]|'[^']*'|\\'| (?! |$))+$/.test(command)) return [];
  const words = command.match(/(?:[^ '\\]|'[^']*'|\\')+/g) ?? [];
  return words.map((word) => word.replace(/'([^']*)'|\\(')/g, (_, quoted, mark) => quoted ?? mark));
}
