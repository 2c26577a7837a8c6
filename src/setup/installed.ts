import { findClaude } from "./program.ts";
import type { Surroundings } from "./surroundings.ts";

/** Whether Claude Code is there. */
export function isCodeInstalled({ system, places }: Surroundings): boolean {
  return findClaude(system, places.home) !== null;
}

/** Whether Claude Desktop is there: its configuration's folder, or its program. In WSL it is on the Windows side. */
export function isDesktopInstalled({ system, places }: Surroundings): boolean {
  if (system.kind === "wsl" || places.desktopFolders.some(system.exists)) return true;
  return system.kind === "macos"
    ? system.exists("/Applications/Claude.app")
    : system.find("claude-desktop") !== null;
}
