import { runProgram } from "../platform/process.ts";
import type { System } from "../platform/system.ts";

// As Claude Code's sandbox uses bwrap: its own network, processes and /proc, which many containers do not allow.
const trial = [
  "--ro-bind",
  "/",
  "/",
  "--dev",
  "/dev",
  "--unshare-net",
  "--unshare-pid",
  "--proc",
  "/proc",
  "/bin/true",
];

const trialMilliseconds = 5_000;

/** Why Claude Code's sandbox cannot run here, with the fix; `null` if it can. Starts a sandbox to see, on Linux. */
export async function sandboxProblem(system: System): Promise<{ reason: string; fix: string } | null> {
  if (system.kind === "windows") {
    return { reason: "relay knows nothing of a sandbox on Windows", fix: "Ask Claude Code: type /sandbox there." };
  }
  if (system.kind === "macos") return null; // sandbox-exec comes with every macOS (by Apple's manual, not run)
  const [bwrap, socat] = ["bwrap", "socat"].map(system.find);
  if (!bwrap || !socat) {
    const fix = "Install the packages bubblewrap and socat.";
    return { reason: `there is no ${bwrap ? "socat" : "bwrap"} in PATH`, fix };
  }
  const { failure } = await runProgram(
    { argv: [bwrap, ...trial], env: system.variables },
    { folder: "/", limitMilliseconds: trialMilliseconds },
  );
  if (failure === null) return null;
  return { reason: `bwrap ${failure}`, fix: "Allow user namespaces on this machine, or do without the sandbox." };
}
