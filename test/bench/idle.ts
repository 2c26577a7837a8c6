import { dlopen } from "bun:ffi";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync } from "node:fs";
import { relayBinary } from "../support/sandbox.ts";
import { converse } from "./conversation.ts";
import type { Lab } from "./lab.ts";
import type { Row } from "./table.ts";

// How long is listened once the runtime has put its house in order, which takes it most of a minute.
const measuredSeconds = 30;

/** What a server costs while nobody asks it anything, beside a program that only waits for its standard input. */
export async function idle(lab: Lab): Promise<Row[]> {
  if (!existsSync("/proc/self/smaps_rollup")) {
    console.log("idle: skipped, this system has no /proc");
    return [];
  }
  const box = lab.home();
  const program = await lab.floor(import.meta.resolve("./waiting.ts"));
  for (const binary of [relayBinary, program]) writeBack(binary);
  const server = await converse(box, "code");
  await server.call("relay_send", { message: "a question" });
  await server.call("relay_fetch");
  const waiting = Bun.spawn([program], { env: box.env, cwd: box.home, stdin: "pipe", stdout: "ignore" });
  box.defer(() => waiting.kill("SIGKILL"));
  await Bun.sleep(lab.idleSeconds * 1000);
  const [relay, floor] = [watch(server.pid), watch(waiting.pid)];
  await Bun.sleep(measuredSeconds * 1000);
  const row = (measure: string, unit: Row["unit"], value: number, floor: number, goal: number): Row => ({
    measure: `${measure} after ${lab.idleSeconds} s`,
    value,
    unit,
    floor: { name: "a program waiting for input", value: floor },
    goal: { value: goal },
  });
  return [
    row("idle CPU", "ms/s", relay.cpuPerSecond(), floor.cpuPerSecond(), 0.3),
    row("Private_Dirty", "MB", relay.privateDirty, floor.privateDirty, 12),
  ];
}

/** A process's private memory now, in MB, and the processor time that it uses from now on, in ms per second. */
function watch(pid: number) {
  const begin = performance.now();
  const used = cpuMilliseconds(pid);
  return {
    privateDirty: privateDirty(pid),
    cpuPerSecond: () => ((cpuMilliseconds(pid) - used) / (performance.now() - begin)) * 1000,
  };
}

/** A process's private memory, in MB. */
export function privateDirty(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Private_Dirty:\s+(\d+) kB/m.exec(rollup)?.[1]) / 1024;
}

// Of all its threads, ended ones included. `/proc/PID/stat` says it in steps of 10 ms, which is most of what a server
// may use in a minute.
function cpuMilliseconds(pid: number): number {
  const { symbols, close } = dlopen("libc.so.6", { clock_gettime: { args: ["i32", "ptr"], returns: "i32" } });
  const time = new BigInt64Array(2);
  // as clock_getcpuclockid(3) names it: the process, bit by bit the other way round, and 2 for the scheduler's account
  const failed = symbols.clock_gettime((~pid << 3) | 2, time) !== 0;
  close();
  if (failed) throw new Error(`there is no process ${pid}`);
  return Number(time[0]) * 1e3 + Number(time[1]) / 1e6;
}

/** Writes a binary to the disk: mapped pages of one that was built just now count as dirty until then. */
export function writeBack(path: string): void {
  const descriptor = openSync(path, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}
