import { type Announcement, type Notifier, notShown } from "../core/notifier.ts";
import { type Run, run } from "../platform/process.ts";
import type { System } from "../platform/system.ts";
import { linuxPlan } from "./linux.ts";
import { macosPlan } from "./macos.ts";
import type { Plan, Program } from "./toast.ts";
import { windowsPlan } from "./windows.ts";
import { wslPlan } from "./wsl.ts";

/** How an announcement is made on this system; `null` if it has no means to. */
export function planFor(announcement: Announcement, system: System): Plan | null {
  switch (system.kind) {
    case "windows":
      return windowsPlan(announcement, system);
    case "macos":
      return macosPlan(announcement, system);
    case "wsl":
      return wslPlan(announcement, system) ?? linuxPlan(announcement, system);
    case "linux":
      return linuxPlan(announcement, system);
    default:
      return null;
  }
}

/** A notifier that runs the programs of this system. */
export function createSystemNotifier(system: System): Notifier {
  const running = new Set<Run>();
  const timeout = system.kind === "windows" ? null : system.find("timeout"); // the one of Windows only waits
  const group = system.kind !== "windows";
  let stopped = false;

  const execute = async (program: Program, { folder }: Plan, deadline: number, output: boolean) => {
    if (stopped) return { failure: "stopped", output: "" };
    const limitMilliseconds = deadline - performance.now();
    if (limitMilliseconds <= 0) return { failure: "its time was over before it began", output: "" };
    const begun = run(program, { folder, limitMilliseconds, group, timeout, output });
    running.add(begun);
    const ended = await begun.ended;
    running.delete(begun);
    return ended;
  };

  const toast = async (plan: Plan, deadline: number): Promise<string | null> => {
    const { proof } = plan;
    const { failure, output } = await execute(plan.toast, plan, deadline, proof !== undefined);
    return failure === null && proof !== undefined && !output.includes(proof) ? "nothing was shown" : failure;
  };

  const sound = async (plan: Plan, deadline: number) => {
    if (!plan.sound) return;
    const { ask, capability, play } = plan.sound;
    const { failure, output } = await execute(ask, plan, deadline, true);
    if (failure === null && !output.includes(capability)) await execute(play, plan, deadline, false);
  };

  return {
    show(announcement) {
      const plan = planFor(announcement, system);
      if (!plan) return notShown("nothing here can show it");
      const deadline = performance.now() + plan.limitMilliseconds;
      const shown = toast(plan, deadline);
      return {
        shown,
        finished: shown.then((failure) => (failure === null ? sound(plan, deadline) : undefined)),
      };
    },
    stop() {
      stopped = true;
      for (const begun of running) begun.kill();
    },
  };
}
