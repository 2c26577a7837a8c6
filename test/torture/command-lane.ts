import { type Client, otherClient } from "../../src/client.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { openTypedSession } from "../support/typing.ts";
import type { Clear, Fetch, Send } from "./history.ts";
import { readFramed, readJson, readTold } from "./page.ts";
import type { CommandAction } from "./plan.ts";
import { mostMilliseconds, readReceipt } from "./server-lane.ts";
import { kill, type Lane, type StartOptions, type World } from "./world.ts";

/** How a command ended. */
interface Ran {
  from: number;
  to: number;
  actor: Send["actor"];
  stdout: string;
  stderr: string;
  /** null if it was killed. */
  status: number | null;
}

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

/** Runs a command, and looks at what every command promises of its output. */
async function run(world: World, lane: Lane, args: string[], options: StartOptions = {}): Promise<Ran> {
  const from = world.now();
  const started = world.start(lane, `relay ${args.join(" ").slice(0, 60)}`, args, { stdin: "", ...options });
  const { actor, child, errors } = started;
  world.count("commands");
  const late = setTimeout(() => {
    world.violated("every command ends", `${actor.name} did not in ${mostMilliseconds / 1000} s`, actor);
    kill(world, started);
  }, mostMilliseconds);
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), errors, child.exited]);
  clearTimeout(late);
  const { exitCode: status } = child;
  const ran = { from, to: world.now(), actor, stdout, stderr, status };
  const isSentence = /^(relay: [^\n]+\n|\{"ok":false[^\n]+\}\n)$/.test(stderr);
  if (status !== null && (status === 0 ? stderr !== "" : !isSentence))
    world.violated("errors are one sentence on stderr", `${actor.name} said ${JSON.stringify(stderr)}`, ran);
  return ran;
}

function errorOf({ status, stderr }: Ran): string | null {
  if (status === null || status === 0) return null;
  const json = stderr.startsWith("{") ? JSON.parse(stderr).error : null;
  return json ?? stderr.trim().replace(/^relay: /, "");
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

function sendRecord(
  world: World,
  sender: Client,
  given: Pick<Send, "token" | "text" | "muted" | "how">,
): Send {
  const record: Send = { ...askedNow(world), ...given, sender, receipt: null, told: null };
  world.history.sends.push(record);
  world.count(given.how === "typed" ? "sends by /get" : "sends by command");
  return record;
}

function askedNow(world: World) {
  return {
    from: world.now(),
    to: Number.POSITIVE_INFINITY,
    actor: null as unknown as Send["actor"], // it is there before anybody looks
    cancelled: false,
    refused: null,
  };
}

function settle(record: Send | Fetch | Clear, ran: Ran): void {
  const { from, to, actor } = ran;
  Object.assign(record, { from, to, actor, refused: errorOf(ran) });
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

function fetchRecord(world: World, reader: Client, how: Fetch["how"], limit: number, marks: boolean): Fetch {
  const confirmed = Number.POSITIVE_INFINITY;
  const record = {
    ...askedNow(world),
    how,
    reader,
    marks,
    limit,
    page: null,
    confirmed,
    released: confirmed,
  };
  world.history.fetches.push(record);
  world.count(how === "typed" ? "fetches by /get" : marks ? "fetches by command" : "peeks");
  return record;
}

function settleFetch(world: World, record: Fetch, ran: Ran, read: (text: string) => Fetch["page"]): void {
  settle(record, ran);
  record.released = ran.to;
  if (ran.status === 0) record.confirmed = ran.to;
  // a command writes its page and the line's end at once
  if (!ran.stdout.endsWith("\n")) return;
  try {
    record.page = read(ran.stdout);
  } catch (error) {
    if (ran.status !== null)
      world.violated("a page is framed", String(error), record, ran.stdout.slice(0, 3_000));
  }
}

/** Empties the buffer on the command line. */
export async function clear(world: World, lane: Lane): Promise<Clear> {
  const record: Clear = { ...askedNow(world), how: "command", by: null, done: false };
  world.history.clears.push(record);
  world.count("clears");
  const ran = await run(world, lane, ["clear", "--yes", "--json"]);
  settle(record, ran);
  record.done = ran.status === 0;
  return record;
}

async function look(world: World, lane: Lane, kind: "status" | "statusline"): Promise<void> {
  const ran = await run(world, lane, kind === "status" ? [kind, "--json"] : [kind]);
  world.count("looks");
  if (ran.status !== 0) return void notRefused(world, ran);
  if (kind === "status") {
    const { total, unread } = JSON.parse(ran.stdout);
    if (total > 20 || unread.desktop + unread.code > total)
      world.violated("the window is 20", `status says ${ran.stdout}`, ran);
  } else if (!/^(\d+ from Desktop\n)?$/.test(ran.stdout)) {
    world.violated("a status line is one", JSON.stringify(ran.stdout), ran);
  }
}

// Why it was refused is judged together with everything else.
function notRefused(world: World, ran: Ran): void {
  const record: Clear = { ...askedNow(world), how: "command", by: null, done: false };
  settle(record, ran);
  if (record.refused) world.history.clears.push(record);
}

async function typed(
  world: World,
  lane: Lane,
  words: Extract<CommandAction, { kind: "typed" }>["words"],
): Promise<void> {
  // a session of its own: a ticket that a killed command left behind must not be another one's
  const typing = openTypedSession({ ...world.place } as unknown as Sandbox);
  const { token, text } = world.compose({ size: 40, shape: "plain" });
  const env = { ...typing.env, RELAY_NOTIFY: "auto" };
  const event = typing.event(words === "words" ? text : words);
  await run(world, lane, ["hook", "user-prompt-expansion"], { env, stdin: event });
  const slot = () => run(world, lane, ["typed"], { env });
  if (words === "words") {
    const record = sendRecord(world, "code", { token, text: text.trim(), muted: false, how: "typed" });
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
    const record: Clear = { ...askedNow(world), how: "typed", by: "code", done: false };
    world.history.clears.push(record);
    world.count("clears");
    const ran = await slot();
    settle(record, ran);
    record.done = ran.status === 0;
  } else {
    const record = fetchRecord(world, "code", "typed", 20, words === "");
    settleFetch(world, record, await slot(), readFramed);
  }
}
