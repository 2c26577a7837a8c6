import type { Client } from "../../src/core/client.ts";
import type { Clear, Fetch, Send } from "./history.ts";
import { judgeFraming, judgeSentence } from "./judge/processes.ts";
import { kill, type Lane, mostMilliseconds, type StartOptions, type World } from "./world.ts";

/** How a command ended. */
export interface Ran {
  from: number;
  to: number;
  actor: Send["actor"];
  stdout: string;
  stderr: string;
  /** null if it was killed. */
  status: number | null;
}

/** Runs a command, and looks at what every command promises of its output. */
export async function run(
  world: World,
  lane: Lane,
  args: string[],
  options: StartOptions = {},
): Promise<Ran> {
  const from = world.now();
  const started = world.start(lane, `relay ${args.join(" ").slice(0, 60)}`, args, { stdin: "", ...options });
  const { actor, child, errors } = started;
  world.count("commands");
  if (args[0] === "get" || args[0] === "typed") world.asking.add(started);
  const late = setTimeout(() => {
    world.violated("every command ends", `${actor.name} did not in ${mostMilliseconds / 1000} s`, actor);
    kill(world, started);
  }, mostMilliseconds);
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), errors, child.exited]);
  clearTimeout(late);
  const { exitCode: status } = child;
  const ran = { from, to: world.now(), actor, stdout, stderr, status };
  judgeSentence(world, actor, status, stderr);
  return ran;
}

function errorOf({ status, stderr }: Ran): string | null {
  if (status === null || status === 0) return null;
  const json = stderr.startsWith("{") ? JSON.parse(stderr).error : null;
  return json ?? stderr.trim().replace(/^relay: /, "");
}

/** Notes a message that is about to be sent. */
export function sendRecord(
  world: World,
  sender: Client,
  given: Pick<Send, "token" | "text" | "muted" | "how" | "hook">,
): Send {
  const record: Send = { ...askedNow(world), ...given, sender, receipt: null, told: null };
  world.history.sends.push(record);
  world.count(given.how === "typed" ? "sends by /get" : "sends by command");
  return record;
}

/** What is known of something that is about to be asked. */
export function askedNow(world: World) {
  return {
    from: world.now(),
    to: Number.POSITIVE_INFINITY,
    actor: null as unknown as Send["actor"], // it is there before anybody looks
    cancelled: false,
    refused: null,
  };
}

/** Notes how the command ended that asked it. */
export function settle(record: Send | Fetch | Clear, ran: Ran): void {
  const { from, to, actor } = ran;
  Object.assign(record, { from, to, actor, refused: errorOf(ran) });
}

/** Notes a page that is about to be asked for. */
export function fetchRecord(
  world: World,
  reader: Client,
  how: Fetch["how"],
  limit: number,
  marks: boolean,
): Fetch {
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

/** Notes a page, and how the command ended that asked for it. */
export function settleFetch(
  world: World,
  record: Fetch,
  ran: Ran,
  read: (text: string) => Fetch["page"],
): void {
  settle(record, ran);
  record.released = ran.to;
  if (ran.status === 0) record.confirmed = ran.to;
  // a command writes its page and the line's end at once
  if (ran.stdout.endsWith("\n")) record.page = judgeFraming(world, ran.stdout, read);
}
