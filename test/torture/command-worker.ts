import { join } from "node:path";
import type { Sandbox } from "../support/sandbox.ts";
import { openTypedSession } from "../support/typing.ts";
import { type Ending, noteClear, noteFetch, noteSend } from "./requests.ts";
import { closeInput, type Run } from "./run.ts";
import type { Send } from "./run-history.ts";
import { readFramed, readJson } from "./texts.ts";
import type { CommandAction, Stream } from "./workload.ts";

type Action<Kind> = Extract<CommandAction, { kind: Kind }>;

/** Types commands as long as the round lasts. */
export async function commandWorker(run: Run, plan: Stream<CommandAction>): Promise<void> {
  while (run.isGoing) await act(run, plan.next().value);
}

function act(run: Run, action: CommandAction): Promise<unknown> {
  if (action.kind === "send") return send(run, action);
  if (action.kind === "get") return get(run, action);
  if (action.kind === "typed") return typed(run, action);
  if (action.kind === "status") return execute(run, ["status", "--json"]).ended;
  const { process, ended } = execute(run, ["clear", "--yes", "--json"]);
  return noteClear(run, process, ended);
}

function execute(run: Run, args: string[], env: Record<string, string> = {}, stdin = "", project?: string | null) {
  const process = run.start(args, env, project);
  const { child, errors } = process;
  child.stdin.write(stdin);
  closeInput(process);
  run.count(`commands: ${args[0]}`);
  const end = async (): Promise<Ending> => {
    const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), errors, child.exited]);
    const answer = stdout.endsWith("\n") ? stdout : undefined; // else it was killed while it wrote
    return { answer, refused: child.exitCode ? stderr : undefined };
  };
  return { process, ended: end() };
}

/** Sends on the command line. */
export function send(run: Run, { draft, to, muted, attached }: Action<"send">): Promise<Send> {
  const message = run.compose(draft);
  const env = muted ? { RELAY_NOTIFY: "off" } : {};
  const options = { "--project": draft.project, "--reply-to": message.replyTo };
  const attachment = attached ? ["--file", join(run.place.folder, "attached")] : [];
  const given = Object.entries(options).flatMap(([name, value]) => (value === null ? [] : [name, `${value}`]));
  const { process, ended } = execute(run, ["send", "--to", to, "--json", ...given, ...attachment], env, message.text);
  const sender = to === "code" ? "desktop" : "code";
  return noteSend(run, process, { ...message, sender, muted, files: attached ? 1 : 0 }, ended);
}

/** Gets a page on the command line, of the file at the path or of one that lies elsewhere. */
export function get(run: Run, { reader, limit, flags }: Action<"get">, file?: number, path?: string) {
  const args = ["get", "--for", reader, "--limit", `${limit}`, ...flags];
  const read = (text: string) => (flags.includes("--json") ? readJson(text, reader) : readFramed(text));
  const { process, ended } = execute(run, args, path ? { RELAY_DB: path } : {});
  return noteFetch(run, process, { reader, project: null, ...(file !== undefined && { file }) }, ended, read).noted;
}

/** Types /get and words after it in a session of Claude Code: its hook runs, then its inline command. */
async function typed(run: Run, { words, project }: Action<"typed">): Promise<unknown> {
  // What belongs to Claude Code is not on the disk that fills; the ticket of a killed command is left to nobody else.
  const { folder } = run.place;
  const session = openTypedSession({ home: folder } as Sandbox);
  const env = { ...session.env, RELAY_NOTIFY: "auto", CLAUDE_CONFIG_DIR: join(folder, ".claude") };
  const { answer } = await execute(run, ["hook", "user-prompt-expansion"], env, session.event(words), project).ended;
  if (answer?.startsWith('{"decision":"block"')) return; // so the inline command does not run
  const { process, ended } = execute(run, ["typed"], env, "", project);
  if (words !== "" && words !== "all") return ended;
  const wanted = { reader: "code", project: words === "all" ? null : project } as const;
  return noteFetch(run, process, wanted, ended, readFramed).noted;
}
