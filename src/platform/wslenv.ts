/**
 * Claude Code in WSL may run the Windows relay, the only one that shares a buffer with Claude Desktop on Windows. That
 * relay gets only those variables that `WSLENV` names; `/p` converts a path to Windows' form (documents of WSL).
 */

/** Every variable that relay reads, as `WSLENV` names it. `HOME` is for the path of Claude Code's folder. */
const shared = [
  "CLAUDECODE",
  "CLAUDE_CODE_CHILD_SESSION",
  "CLAUDE_CODE_SESSION_ATTENDED",
  "CLAUDE_CODE_SESSION_ID",
  "CLAUDE_CODE_ENTRYPOINT",
  "CLAUDE_PID",
  "CLAUDE_PLUGIN_ROOT/p",
  "CLAUDE_PROJECT_DIR/p",
  "CLAUDE_CONFIG_DIR/p",
  "HOME/p",
  "RELAY_DB/p",
  "RELAY_HISTORY",
  "RELAY_NOTIFY",
  "NO_COLOR",
];

/** A value of `WSLENV` with the person's own names, and then every variable that relay reads. */
export function wslEnv(personal = ""): string {
  return [withoutShared(personal), ...shared].filter(Boolean).join(":");
}

/** Whether a value of `WSLENV` names every variable that relay reads. */
export function isShared(value: string): boolean {
  const names = value.split(":");
  return shared.every((name) => names.includes(name));
}

/** A value of `WSLENV` without relay's variables. */
export function withoutShared(value: string): string {
  return value
    .split(":")
    .filter((name) => !shared.includes(name))
    .join(":");
}

/**
 * Whether this is a Windows relay that was started from WSL without any of those variables, and so cannot know whether a
 * model started it.
 */
export function isBlind(
  platform: string,
  folder: string,
  variables: Readonly<Record<string, string | undefined>>,
): boolean {
  return isInWsl(platform, folder) && !shared.some((name) => variables[name.replace(/\/p$/, "")]);
}

/** Whether a folder is in WSL, by its path on Windows. */
export function isInWsl(platform: string, folder: string): boolean {
  return platform === "win32" && /^\\\\wsl(?:\$|\.localhost)?\\/i.test(folder);
}

/** A path of this process as Claude Code names it, which may run in WSL beside a Windows relay. */
export function claudePath(
  path: string,
  { HOME = "" }: Readonly<Record<string, string | undefined>>,
  platform: string = process.platform,
): string {
  if (!isInWsl(platform, HOME)) return path;
  return path.replace(/^([A-Za-z]):/, (_, drive: string) => `/mnt/${drive.toLowerCase()}`).replaceAll("\\", "/");
}
