import { dirname } from "node:path/posix";
import type { Notification } from "../core/notifier.ts";
import type { System } from "../platform/system.ts";
import type { Plan } from "./toast.ts";
import { limitMilliseconds, powershell, powershellArguments, proof, toastVariables } from "./windows.ts";

/**
 * A toast of the Windows around this Linux, because WSL's own notifications appear nowhere (facts.md); `null` if
 * Windows cannot be reached. WSL's interop passes on only those variables that `WSLENV` names
 * (learn.microsoft.com/windows/wsl/filesystems).
 */
export function wslPlan(notification: Notification, system: System): Plan | null {
  const mounted = `/mnt/c/Windows/${powershell.join("/")}`;
  const program = system.exists(mounted) ? mounted : system.findSystem("powershell.exe");
  if (!program) return null;
  const texts = toastVariables(notification);
  const interop = system.variables.WSL_INTEROP;
  return {
    toast: {
      argv: [program, ...powershellArguments],
      env: {
        ...texts,
        WSLENV: Object.keys(texts)
          .map((name) => `${name}/w`)
          .join(":"),
        ...(interop && { WSL_INTEROP: interop }),
      },
    },
    proof,
    folder: dirname(program), // in a Linux folder interop prints a warning
    limitMilliseconds,
  };
}
