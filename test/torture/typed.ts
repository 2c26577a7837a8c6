import { join } from "node:path";
import type { Sandbox } from "../support/sandbox.ts";
import { openTypedSession } from "../support/typing.ts";
import { askedNow, fetchRecord, run, sendRecord, settle, settleFetch } from "./commands.ts";
import type { Clear } from "./history.ts";
import { judgeHook } from "./judge/processes.ts";
import { readCleared, readFramed, readTold } from "./page.ts";
import type { CommandAction } from "./plan.ts";
import type { Lane, World } from "./world.ts";

/** Types /get and words after it, in a Claude Code session: the hook, then the command's inline slot. */
export async function typed(
  world: World,
  lane: Lane,
  words: Extract<CommandAction, { kind: "typed" }>["words"],
): Promise<void> {
  // A session of its own: a ticket that a killed command left behind must not be another one's. What belongs to Claude
  // Code is not on the disk that fills.
  const { folder } = world.place;
  const typing = openTypedSession({ home: folder } as Sandbox);
  const { token, text } = world.compose({ size: 40, shape: "plain" });
  const env = { ...typing.env, RELAY_NOTIFY: "auto", CLAUDE_CONFIG_DIR: join(folder, ".claude") };
  const event = typing.event(words === "words" ? text : words);
  const hook = await run(world, lane, ["hook", "user-prompt-expansion"], { env, stdin: event });
  judgeHook(world, hook.status, hook.stdout);
  const slot = () => run(world, lane, ["typed"], { env });
  if (words === "words") {
    const sent = { token, text: text.trim(), muted: false, how: "typed", hook } as const;
    const record = sendRecord(world, "code", sent);
    const ran = await slot();
    settle(record, ran);
    const [, id, unread] = /^relay: sent to Desktop as message (\d+); (\d+) wait/.exec(ran.stdout) ?? [];
    if (!id || !ran.stdout.endsWith("\n")) return;
    const lines = ran.stdout.split("\n");
    const gone = lines.map((line) => /unread messages had to go: ([\d, ]+)/.exec(line)?.[1]).find(Boolean);
    const evicted = gone?.split(", ").map(Number) ?? [];
    // of the others that had to go this receipt says nothing
    record.receipt = { id: Number(id), unread: Number(unread), evicted, evicted_unread: evicted };
    record.told = readTold(lines);
  } else if (words === "clear") {
    const record: Clear = { ...askedNow(world), how: "typed", by: "code", done: false, receipt: null, hook };
    world.history.clears.push(record);
    world.count("clears");
    const ran = await slot();
    settle(record, ran);
    record.done = ran.status === 0;
    record.receipt = readCleared(ran.stdout);
  } else {
    const record = fetchRecord(world, "code", "typed", 20, words === "");
    record.hook = hook;
    settleFetch(world, record, await slot(), readFramed);
    if (record.page) world.count("pages by /get");
  }
}
