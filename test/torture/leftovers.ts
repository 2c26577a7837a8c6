import { Database } from "bun:sqlite";
import { existsSync, statSync } from "node:fs";
import { until } from "../support/sandbox.ts";
import type { Run } from "./run.ts";

/** Checks invariant 5 on the file at the path, and on those that were renamed. */
export function checkFiles(run: Run): void {
  for (const path of [run.place.buffer, ...run.history.away.values()].filter(existsSync)) {
    const mode = (statSync(path).mode & 0o777).toString(8);
    const found = integrity(path);
    if (mode !== "600" || found !== "ok") run.violated("file", `${path} has mode ${mode}; ${found}`);
  }
}

function integrity(path: string): string {
  try {
    using db = new Database(path);
    return db.query("PRAGMA integrity_check").values().flat().join("; ");
  } catch (error) {
    return String(error);
  }
}

/** Checks invariant 7, once every worker is done: nothing runs that was started in this place, by whatever process. */
export async function checkEnded(run: Run): Promise<void> {
  const found = `$(grep -lsxz 'HOME=${run.place.home}' /proc/[0-9]*/environ)`;
  const script = `for path in ${found}; do tr '\\0' ' ' < "\${path%environ}cmdline"; echo; done`;
  const left = () => Bun.spawnSync(["sh", "-c", script]).stdout.toString().match(/.+/g) ?? [];
  await until("none is left", () => left().length === 0, 30_000).catch(() => {});
  for (const process of left()) run.violated("ended", process);
}
