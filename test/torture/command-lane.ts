import { otherClient } from "../../src/core/client.ts";
import { askedNow, fetchRecord, type Ran, run, sendRecord, settle, settleFetch } from "./commands.ts";
import type { Clear, Fetch, Send } from "./history.ts";
import { judgeStatus, judgeStatusLine } from "./judge/processes.ts";
import { readCleared, readFramed, readJson, readReceipt } from "./page.ts";
import type { CommandAction } from "./plan.ts";
import { typed } from "./typed.ts";
import type { Lane, World } from "./world.ts";

/** Types commands until the round is over. */
export async function commandLane(
  world: World,
  lane: Lane,
  plan: Iterator<CommandAction, never>,
): Promise<void> {
  while (world.running) {
    const action = plan.next().value;
    if (action.kind === "send") await send(world, lane, action);
    else if (action.kind === "get") await get(world, lane, action);
    else if (action.kind === "typed") await typed(world, lane, action.words);
    else if (action.kind === "clear") await clear(world, lane);
    else await look(world, lane, action.kind);
  }
}

/** Sends on the command line. */
export async function send(
  world: World,
  lane: Lane,
  { draft, to, muted, piped }: Extract<CommandAction, { kind: "send" }>,
): Promise<Send> {
  const { token, text } = world.compose(draft);
  const record = sendRecord(world, otherClient(to), { token, text, muted, how: "command" });
  const args = ["send", "--to", to, "--json"];
  const env = muted ? { RELAY_NOTIFY: "off" } : {};
  // a text without NUL fits an argument, if it is not too long for one
  const ran = piped
    ? await run(world, lane, args, { env, stdin: text })
    : await run(world, lane, [...args, "--", text], { env });
  settle(record, ran);
  if (ran.stdout.endsWith("\n")) Object.assign(record, readReceipt(ran.stdout));
  return record;
}

/** Gets a page on the command line. */
export async function get(
  world: World,
  lane: Lane,
  { reader, limit, flags }: Extract<CommandAction, { kind: "get" }>,
): Promise<Fetch> {
  const record = fetchRecord(world, reader, "command", limit, !flags.includes("--peek"));
  const ran = await run(world, lane, ["get", "--for", reader, "--limit", `${limit}`, ...flags]);
  settleFetch(world, record, ran, (text) =>
    flags.includes("--json") ? readJson(text, `read_by_${reader}_at`) : readFramed(text),
  );
  return record;
}

/** Empties the buffer on the command line. */
export async function clear(world: World, lane: Lane): Promise<Clear> {
  const record: Clear = { ...askedNow(world), how: "command", by: null, done: false, receipt: null };
  world.history.clears.push(record);
  world.count("clears");
  const ran = await run(world, lane, ["clear", "--yes", "--json"]);
  settle(record, ran);
  record.done = ran.status === 0;
  record.receipt = readCleared(ran.stdout);
  return record;
}

async function look(world: World, lane: Lane, kind: "status" | "statusline"): Promise<void> {
  const ran = await run(world, lane, kind === "status" ? [kind, "--json"] : [kind]);
  world.count("looks");
  if (ran.status !== 0) return void notRefused(world, ran);
  if (kind === "status") judgeStatus(world, ran.stdout);
  else judgeStatusLine(world, ran.stdout);
}

// Why it was refused is judged together with everything else.
function notRefused(world: World, ran: Ran): void {
  const record: Clear = { ...askedNow(world), how: "command", by: null, done: false, receipt: null };
  settle(record, ran);
  if (record.refused) world.history.clears.push(record);
}
