import { relayBinary, type Sandbox, sendAll } from "../support/sandbox.ts";
import type { Lab } from "./lab.ts";
import { type Row, timedRow } from "./report.ts";
import { interleave } from "./samples.ts";

/** How long a person or a hook waits for a command, from the spawn to the exit, on a buffer with messages in it. */
export async function status(lab: Lab): Promise<Row[]> {
  const box = lab.home();
  const hello = await lab.floor(import.meta.resolve("./hello.ts"));
  await sendAll(box, "code", ["one", "two", "three"]);
  await sendAll(box, "desktop", ["four", "five"]);
  box.env.RELAY_NOTIFY = "off"; // how long a notifier takes is not relay's
  const relay = (...args: string[]) => run([relayBinary, ...args], box);
  const samples = await interleave(
    { warmUp: 5, rounds: 100 },
    {
      hello: () => run([hello], box),
      status: () => relay("status"),
      send: () => relay("send", "--to", "code", "x"),
      get: () => relay("get", "--for", "code", "--json"),
    },
  );
  const floor = { name: "hello world, spawn to exit", samples: samples.hello };
  return [
    timedRow("relay status", samples.status, floor, 2),
    timedRow("relay send --to code x", samples.send, floor),
    timedRow("relay get --for code --json", samples.get, floor),
  ];
}

async function run(argv: string[], box: Sandbox): Promise<number> {
  const begin = performance.now();
  const child = Bun.spawn(argv, {
    env: box.env,
    cwd: box.home,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  const code = await child.exited;
  const took = performance.now() - begin;
  if (code !== 0) throw new Error(`${argv.slice(1).join(" ")} exited with ${code}`);
  return took;
}
