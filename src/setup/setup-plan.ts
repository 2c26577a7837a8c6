import type { Client } from "../core/client.ts";
import { RelayError } from "../core/errors.ts";
import { planDesktop } from "./claude-desktop.ts";
import { type CodeOptions, planCode } from "./code-plan.ts";
import { joined, type Plan } from "./plan.ts";
import { findClaude } from "./program.ts";
import { isAcrossWsl, type Surroundings } from "./setup-context.ts";

/** What setting up takes, for each of the two Claudes that is installed. Throws a `failed` error if neither is, or if one cannot be set up. */
export async function planSetup(surroundings: Surroundings, options: CodeOptions): Promise<Plan> {
  const [code, desktop] = [isCodeInstalled(surroundings), isDesktopInstalled(surroundings)];
  if (!code && !desktop) throw new RelayError("failed", noneHere);
  const plan = joined([
    ...(code ? [await planCode(surroundings, options)] : []),
    ...(desktop ? [await planDesktop(surroundings)] : []),
  ]);
  if (!code) plan.next.push("Claude Code is not here. Once it is, run: relay setup-code");
  if (!desktop) plan.next.push("Claude Desktop is not here. Once it is, run: relay setup-desktop");
  return plan;
}

const noneHere =
  "neither Claude is here: no claude in PATH or ~/.local/bin, and no folder of Claude Desktop's. Install them, or name the one to set up: relay setup-code, relay setup-desktop";

/** Those that were set up with the buffer that this very program opens; in WSL that is the Windows relay's. */
export function clientsToGreet(surroundings: Surroundings): Client[] {
  if (isAcrossWsl(surroundings)) return [];
  return [
    ...(isDesktopInstalled(surroundings) ? (["desktop"] as const) : []),
    ...(isCodeInstalled(surroundings) ? (["code"] as const) : []),
  ];
}

function isCodeInstalled({ system, places }: Surroundings): boolean {
  return findClaude(system, places.home) !== null;
}

// Its configuration's folder, or its program. In WSL it is on the Windows side.
function isDesktopInstalled({ system, places }: Surroundings): boolean {
  if (system.kind === "wsl" || places.desktopFolders.some(system.exists)) return true;
  return system.kind === "macos"
    ? system.exists("/Applications/Claude.app")
    : system.find("claude-desktop") !== null;
}
