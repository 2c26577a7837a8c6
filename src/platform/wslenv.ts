/**
 * Claude Code in WSL may run the Windows relay, the only one that shares a buffer with Claude Desktop on Windows. It
 * gets none of Claude Code's variables unless `WSLENV` names them; `/p` makes a path one of Windows (documents of WSL).
 */

/** Every variable that relay reads, as `WSLENV` names it. `HOME` tells where Claude Code's folder is. */
const shared = [
  "CLAUDECODE",
  "CLAUDE_CODE_CHILD_SESSION",
  "CLAUDE_CODE_SESSION_ATTENDED",
  "CLAUDE_CODE_SESSION_ID",
  "CLAUDE_PID",
  "CLAUDE_PLUGIN_ROOT/p",
  "CLAUDE_CONFIG_DIR/p",
  "HOME/p",
  "RELAY_DB/p",
  "RELAY_NOTIFY",
  "NO_COLOR",
];

/** A value of `WSLENV` that names all that relay reads, after the names in the person's own value. */
export function wslEnv(own = ""): string {
  return [withoutShared(own), ...shared].filter(Boolean).join(":");
}

/** Whether a value of `WSLENV` names all that relay reads. */
export function isShared(value: string): boolean {
  const names = value.split(":");
  return shared.every((name) => names.includes(name));
}

/** A value of `WSLENV` without what relay reads. */
export function withoutShared(value: string): string {
  return value
    .split(":")
    .filter((name) => !shared.includes(name))
    .join(":");
}

/**
 * Whether this is a Windows relay that was started from WSL without any of those variables. It cannot know whether a
 * model started it.
 */
export function isBlind(
  platform: string,
  folder: string,
  variables: Readonly<Record<string, string | undefined>>,
): boolean {
  return isInWsl(platform, folder) && !shared.some((name) => variables[name.replace(/\/p$/, "")]);
}

/** Whether a folder, as a Windows program sees it, is one of WSL's. */
export function isInWsl(platform: string, folder: string): boolean {
  return platform === "win32" && /^\\\\wsl(?:\$|\.localhost)?\\/i.test(folder);
}
