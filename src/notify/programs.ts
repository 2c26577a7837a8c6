import { type Notification, type Notifier, notShown } from "../core/notifier.ts";
import { type Program, runProgram } from "../platform/process.ts";
import type { System } from "../platform/system.ts";
import { linuxPlan } from "./linux.ts";
import { macosPlan } from "./macos.ts";
import type { Plan } from "./toast.ts";
import { windowsPlan } from "./windows.ts";
import { wslPlan } from "./wsl.ts";

/** The plan of a notification on this system; `null` if no program can show one. */
export function planFor(notification: Notification, system: System): Plan | null {
  switch (system.kind) {
    case "windows":
      return windowsPlan(notification, system);
    case "macos":
      return macosPlan(notification, system);
    case "wsl":
      return wslPlan(notification, system) ?? linuxPlan(notification, system);
    case "linux":
      return linuxPlan(notification, system);
    default:
      return null;
  }
}

/** A notifier that runs the programs of this system. */
export function createSystemNotifier(system: System): Notifier {
  const stopping = new AbortController();
  const isWindows = system.kind === "windows";
  const options = {
    group: !isWindows,
    timeout: isWindows ? null : system.findSystem("timeout"), // the program of that name in Windows only waits
    signal: stopping.signal,
  };

  const run = (program: Program, { folder }: Plan, deadline: number, output: "all" | "head" | "nothing") => {
    const limitMilliseconds = deadline - performance.now();
    // the machine may have slept since the last program
    if (limitMilliseconds <= 0) return { failure: "had no time left", stdout: "" };
    return runProgram(program, { ...options, folder, limitMilliseconds, output });
  };

  const toast = async (plan: Plan, deadline: number): Promise<string | null> => {
    const { proof } = plan;
    const { failure, stdout } = await run(plan.toast, plan, deadline, proof ? "head" : "all");
    if (failure !== null) return `${plan.toast.argv[0]} ${failure}`;
    return proof && !stdout.includes(proof) ? "nothing was shown" : null;
  };

  const sound = async (plan: Plan, deadline: number) => {
    if (!plan.sound) return;
    const { ask, capability, play } = plan.sound;
    const { failure, stdout } = await run(ask, plan, deadline, "head");
    if (failure === null && !stdout.includes(capability)) await run(play, plan, deadline, "nothing");
  };

  return {
    show(notification) {
      const plan = planFor(notification, system);
      if (!plan) return notShown("no program can show it");
      const deadline = performance.now() + plan.limitMilliseconds;
      const shown = toast(plan, deadline);
      return { shown, finished: shown.then((failure) => (failure === null ? sound(plan, deadline) : undefined)) };
    },
    stop: () => stopping.abort(),
  };
}
