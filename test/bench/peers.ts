import { existsSync } from "node:fs";
import { join } from "node:path";
import { relayBinary } from "../support/sandbox.ts";
import { recordNotifier } from "./announce.ts";
import { type Conversation, converse } from "./conversation.ts";
import { privateDirty, writeBack } from "./idle.ts";
import type { Lab } from "./lab.ts";
import { interleave, timed } from "./samples.ts";
import { type Row, timedRow } from "./table.ts";

const root = join(import.meta.dir, "../..");
const original = join(root, ".lab/original/bin/mcp-server-relay");
const name = "mcp-server-relay 1.2.4";
const message = "a message of five hundred bytes".padEnd(500, ".");

/** relay beside the Python server that it succeeds, which `npm run lab:original` installs with the `mcp` that it starts with. */
export async function peers(lab: Lab): Promise<Row[]> {
  if (!existsSync(original)) {
    const { success } = Bun.spawnSync(["npm", "run", "--silent", "lab:original"], {
      cwd: root,
      stdio: ["ignore", 2, 2],
    });
    if (!success)
      throw new Error("npm run lab:original failed, see above. It needs python3 with venv, and its package index.");
  }
  writeBack(relayBinary);
  const relay = await measure(lab, [relayBinary]);
  const old = await measure(lab, [original]);
  const { rounds } = lab;
  const starts = await interleave(rounds, { relay: relay.start, old: old.start });
  const sends = await interleave(rounds, { relay: relay.send, old: old.send });
  const fetches = await interleave(rounds, { relay: relay.fetch, old: old.fetch });
  const announcements = await interleave(Math.min(rounds, 30), { relay: relay.announce, old: old.announce });
  const row = (measure: string, samples: Record<"relay" | "old", number[]>) =>
    timedRow(measure, samples.relay, { name, samples: samples.old });
  await Bun.sleep(lab.idleSeconds * 1000);
  const memory: Row = {
    measure: `private memory, idle for ${lab.idleSeconds} s`,
    value: relay.memory(),
    unit: "MB",
    floor: { name, value: old.memory() },
  };
  return [
    row("start, to tools/list answered", starts),
    row("relay_send of 500 bytes", sends),
    row("relay_fetch of one message", fetches),
    row("send to notifier started", announcements),
    memory,
  ];
}

/** What takes the samples of one server: two of its processes on one buffer, as Desktop's and Code's. */
async function measure(lab: Lab, program: string[]) {
  const box = lab.home();
  const open = (client: "desktop" | "code", buffer?: string) => converse(box, client, buffer, [], program);
  const { untilStarted } = recordNotifier(box);
  const [desktop, code] = await Promise.all([open("desktop"), open("code")]);
  const send = (server: Conversation) => server.call("relay_send", { sender: "code", message });
  const fetch = () => desktop.call("relay_fetch", { reader: "desktop", limit: 1 });
  return {
    memory: () => privateDirty(code.pid),
    start: () =>
      timed(async () => {
        const server = await open("code", "started.db");
        await server.ask("tools/list");
        void server.close();
      }),
    async send() {
      const took = await timed(() => send(code));
      await fetch();
      return took;
    },
    async fetch() {
      await send(code);
      return timed(fetch);
    },
    // the original's Desktop looks every two seconds, and relay folds what follows a notification within two
    async announce() {
      await Bun.sleep(2_500 + 2_000 * Math.random());
      const took = await untilStarted(() => send(code));
      await fetch();
      return took;
    },
  };
}
