import type { System } from "../environment.ts";
import { linuxPlan } from "./linux.ts";
import { macosPlan } from "./macos.ts";
import type { Announcement, Notifier } from "./notifier.ts";
import type { Plan } from "./plan.ts";
import { type Run, run } from "./run.ts";
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
  let stopped = false;

  const execute = async (...[program, options]: Parameters<typeof run>) => {
    if (stopped) return { failure: "stopped", output: "" };
    const begun = run(program, options);
    running.add(begun);
    const ended = await begun.ended;
    running.delete(begun);
    return ended;
  };

  const sound = async (plan: Plan, deadline: number) => {
    if (!plan.sound) return;
    const { ask, capability, play } = plan.sound;
    const options = () => ({ folder: plan.folder, timeout, limitMilliseconds: deadline - performance.now() });
    const { failure, output } = await execute(ask, { ...options(), output: true });
    if (failure === null && !output.includes(capability)) await execute(play, options());
  };

  return {
    show(announcement) {
      const plan = planFor(announcement, system);
      if (!plan) return { shown: Promise.resolve("nothing here can show it"), finished: Promise.resolve() };
      const { folder, limitMilliseconds } = plan;
      const deadline = performance.now() + limitMilliseconds;
      const shown = execute(plan.toast, { folder, timeout, limitMilliseconds }).then(
        ({ failure }) => failure,
      );
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
