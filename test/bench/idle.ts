import { closeSync, existsSync, fsyncSync, openSync, readFileSync } from "node:fs";
import { relayBinary, type Sandbox } from "../support/sandbox.ts";
import { toolCall } from "../support/server.ts";
import { openConversation } from "./conversation.ts";
import { cpuMilliseconds } from "./cpu-clock.ts";
import type { Lab } from "./lab.ts";
import type { Row } from "./report.ts";

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
  const relay = await startUsedServer(box);
  const waiting = startWaiting(program, box);
  await Bun.sleep(lab.idleSeconds * 1000);
  const before = [cpuMilliseconds(relay), cpuMilliseconds(waiting)] as const;
  const dirty = [privateDirty(relay), privateDirty(waiting)] as const;
  await Bun.sleep(measuredSeconds * 1000);
  const usage = (pid: number, earlier: number) => (cpuMilliseconds(pid) - earlier) / measuredSeconds;
  const name = "a program waiting for input";
  return [
    {
      measure: `idle CPU after ${lab.idleSeconds} s`,
      value: usage(relay, before[0]),
      unit: "ms/s",
      floor: { name, value: usage(waiting, before[1]) },
      goal: { value: 0.3 },
    },
    {
      measure: `Private_Dirty after ${lab.idleSeconds} s`,
      value: dirty[0],
      unit: "MB",
      floor: { name, value: dirty[1] },
      goal: { value: 12 },
    },
  ];
}

async function startUsedServer(box: Sandbox): Promise<number> {
  const server = await openConversation(box, "code");
  await server.ask(toolCall(1, "relay_send", { message: "a question" }));
  await server.ask(toolCall(2, "relay_fetch"));
  return server.pid;
}

function startWaiting(program: string, box: Sandbox): number {
  const child = Bun.spawn([program], { env: box.env, cwd: box.home, stdin: "pipe", stdout: "ignore" });
  box.defer(async () => {
    child.kill("SIGKILL");
    await child.exited;
  });
  return child.pid;
}

function privateDirty(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Private_Dirty:\s+(\d+) kB/m.exec(rollup)?.[1]) / 1024;
}

// Mapped pages of a binary that was built just now count as dirty until the disk has them.
function writeBack(path: string): void {
  const descriptor = openSync(path, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}
