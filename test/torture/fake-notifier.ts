import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Run } from "./run.ts";
import type { Notification } from "./run-history.ts";
import { tokenOf } from "./texts.ts";

const pollMilliseconds = 15;

/** Hears of every notification, and decides how each ends. Call the answer to end that. */
export function listen(run: Run, outcome: () => Notification["outcome"]): () => void {
  const { place, history } = run;
  const poll = () => {
    for (const name of readdirSync(place.calls).filter((name) => name.endsWith(".call"))) {
      const path = join(place.calls, name);
      const [ended, parents, title, body = ""] = readFileSync(path, "utf8").split("\n");
      const pids = parents?.split(" ") ?? [];
      rmSync(path);
      history.notifications.push({
        from: performance.now(),
        reader: title?.startsWith("For Desktop") ? "desktop" : "code",
        token: tokenOf(body.replace(/^\d+ (?:messages|more): /, "")),
        process: history.processes.findLast(({ child }) => pids.includes(`${child.pid}`)) ?? null,
        outcome: ended as Notification["outcome"],
      });
      run.count("notifications");
      place.setOutcome(outcome());
    }
  };
  place.setOutcome(outcome());
  const timer = setInterval(poll, pollMilliseconds);
  return () => {
    clearInterval(timer);
    poll();
  };
}
