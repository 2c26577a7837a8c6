import type { Client } from "../core/client.ts";
import { RelayError } from "../core/errors.ts";
import { type DesktopOptions, planDesktop } from "./claude-desktop.ts";
import { type CodeOptions, planCode } from "./code-plan.ts";
import { type Line, mergePlans, type Plan, type Section } from "./plan.ts";
import { findClaude } from "./program.ts";
import { isAcrossWsl, type SetupContext } from "./setup-context.ts";

/** Connects each installed Claude. Throws a `failed` error if neither is installed, or one cannot be connected. */
export async function planSetup(context: SetupContext, options: CodeOptions & DesktopOptions): Promise<Plan> {
  const [code, desktop] = [isCodeInstalled(context), isDesktopInstalled(context)];
  if (!code && !desktop) {
    throw new RelayError(
      "failed",
      "neither Claude is installed: there is no claude in PATH or ~/.local/bin, and no folder of Claude Desktop's",
      "Install one, or name the one to set up: relay setup-code, relay setup-desktop",
    );
  }
  const missing = (section: Section, verb: string): Line[] => [
    { section, mark: "–", text: `${section} is not installed. Once it is, run: relay ${verb}` },
  ];
  return mergePlans([
    code ? await planCode(context, options) : { lines: missing("Claude Code", "setup-code") },
    desktop ? await planDesktop(context, options) : { lines: missing("Claude Desktop", "setup-desktop") },
  ]);
}

/** The clients that setup connects to this program's buffer. In WSL the Windows relay keeps the buffer. */
export function clientsToWelcome(context: SetupContext): Client[] {
  if (isAcrossWsl(context)) return [];
  return [
    ...(isDesktopInstalled(context) ? (["desktop"] as const) : []),
    ...(isCodeInstalled(context) ? (["code"] as const) : []),
  ];
}

/** Whether there is a Claude Code to set up. */
export function isCodeInstalled({ system, places }: SetupContext): boolean {
  return findClaude(system, places.home) !== null;
}

/**
 * Whether there is a Claude Desktop, by its configuration's folder or its program. In WSL there is one on the Windows side.
 */
export function isDesktopInstalled({ system, places }: SetupContext): boolean {
  if (system.kind === "wsl" || places.desktopFolders.some(system.exists)) return true;
  return system.kind === "macos" ? system.exists("/Applications/Claude.app") : system.find("claude-desktop") !== null;
}
