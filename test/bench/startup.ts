import type { Sandbox } from "../support/sandbox.ts";
import { initialize } from "../support/server.ts";
import { startConversation } from "./conversation.ts";
import type { Lab } from "./lab.ts";
import { type Row, timedRow } from "./report.ts";
import { interleave } from "./samples.ts";

/** How long a Claude waits for its server: from the spawn to the answer to `initialize`. */
export async function startup(lab: Lab): Promise<Row[]> {
  const box = lab.home();
  const hello = await lab.floor(import.meta.resolve("./hello.ts"));
  const samples = await interleave(
    { warmUp: 10, rounds: 150 },
    { relay: () => initialized(box), hello: () => firstOutput(hello, box) },
  );
  const floor = { name: "hello world, spawn to first output", samples: samples.hello };
  return [timedRow("spawn to initialize answered", samples.relay, floor, 6)];
}

async function initialized(box: Sandbox): Promise<number> {
  const begin = performance.now();
  const server = startConversation(box, "code");
  await server.ask(initialize());
  const took = performance.now() - begin;
  await server.close();
  return took;
}

async function firstOutput(program: string, box: Sandbox): Promise<number> {
  const begin = performance.now();
  const child = Bun.spawn([program], {
    env: box.env,
    cwd: box.home,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
  await child.stdout.getReader().read();
  const took = performance.now() - begin;
  await child.exited;
  return took;
}
