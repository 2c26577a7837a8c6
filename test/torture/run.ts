import { join } from "node:path";
import type { Subprocess } from "bun";
import type { PostgresServer } from "../support/postgres-server.ts";
import { asPerson } from "../support/rights.ts";
import { relayBinary } from "../support/sandbox.ts";
import { type Place, removeClock } from "./place.ts";
import { History } from "./run-history.ts";
import { textOf } from "./texts.ts";
import type { Draft } from "./workload.ts";

/** What must hold. */
export const invariants = {
  kept: "1. every acknowledged message is shown or reported dropped, and readable in window or history, or cleared, or its file was removed",
  once: "2. no message is shown twice without the label, or again after it was acknowledged",
  order: "3. ids rise for a reader, except those of redelivered messages",
  notified: "4. a message has at most one notification, or two if something cut off the first",
  file: "5. integrity_check is ok, the mode 0600",
  output: "6. nothing but MCP and pages on stdout, no stack trace, no crash",
  ended: "7. no process is left",
  project: "8. no page for a project shows what is for another",
} as const;

/** An invariant that did not hold, and the messages concerned. */
export interface Violation {
  invariant: keyof typeof invariants;
  what: string;
  tokens: string[];
}

/** A process of relay. */
export interface Process {
  name: string;
  child: Subprocess<"pipe", "pipe", "pipe">;
  /** All that it writes to standard error. */
  errors: Promise<string>;
  /** It is asked for a page right now. */
  isAsked: boolean;
  /** When it got SIGKILL, when it was asked to end, when it ended; infinite until then. */
  killed: number;
  asked: number;
  ended: number;
}

/** What all parts of a run share. */
export class Run {
  round = 0;
  /** False once the round's time is over. */
  isGoing = true;
  history = new History();
  /** The processes of relay that run. */
  readonly alive = new Set<Process>();
  /** No process may be killed or stopped now. */
  areSpared = false;
  readonly violations: Violation[] = [];
  readonly figures = new Map<string, number>();
  #texts = 0;
  #offset = 0;

  /** Over the file, or over a database of this server. */
  constructor(
    readonly place: Place,
    readonly server: PostgresServer | null = null,
  ) {}

  count(figure: string, times = 1): void {
    this.figures.set(figure, (this.figures.get(figure) ?? 0) + times);
    if (/^(?:calls|commands|statements)/.test(figure)) this.count("operations");
  }

  violated(invariant: Violation["invariant"], what: string, tokens: string[] = []): void {
    this.violations.push({ invariant, what, tokens });
  }

  /** Makes up a message. Its text begins with a token that no other text of the run has. */
  compose({ answers, project, ...draft }: Draft): { token: string; text: string; replyTo: number | null } {
    const token = `t${this.round}-${++this.#texts}.`;
    const known = this.history.sends.filter(({ id }) => id !== null);
    this.count("answers", Number(answers !== null));
    this.count("messages for a project", Number(project !== null));
    return { token, text: textOf(draft, token), replyTo: answers === null ? null : (known.at(-answers)?.id ?? 1) };
  }

  /** Notes that something is wrong as long as this work is done. */
  async trouble(what: string, work: () => Promise<unknown>): Promise<void> {
    const trouble = { what, from: performance.now(), to: Number.POSITIVE_INFINITY };
    this.history.troubles.push(trouble);
    this.count(what);
    await work();
    trouble.to = performance.now();
  }

  /** Makes the clock of all processes jump, if they have one of their own. */
  async jump(seconds: number): Promise<void> {
    if (!this.place.hasClock) return;
    this.#offset += seconds;
    await this.trouble("clock jumps", async () => this.place.setClock(this.#offset));
  }

  /** Starts relay, in a project as Claude Code names it. */
  start(args: string[], env: Record<string, string> = {}, project: string | null = null): Process {
    const pipes = { stdin: "pipe", stdout: "pipe", stderr: "pipe" } as const;
    const folder = project === null ? {} : { CLAUDE_PROJECT_DIR: join(this.place.folder, project) };
    const options = { env: { ...this.place.env, ...env, ...folder }, cwd: this.place.folder, ...pipes };
    const child = Bun.spawn([...this.place.through, ...(asPerson ?? []), relayBinary, ...args], options);
    const [name, never] = [`relay ${args.join(" ")}`, Number.POSITIVE_INFINITY];
    const times = { killed: never, asked: never, ended: never };
    const errors = new Response(child.stderr).text();
    const process: Process = { name, child, errors, isAsked: false, ...times };
    this.alive.add(process);
    this.history.processes.push(process);
    void this.#watch(process);
    return process;
  }

  async #watch(process: Process): Promise<void> {
    const { name, child, errors } = process;
    await child.exited;
    process.ended = performance.now();
    this.alive.delete(process);
    removeClock(child.pid);
    const { signalCode: signal } = child;
    if (signal && !(signal === "SIGKILL" && Number.isFinite(process.killed)))
      this.violated("output", `${name} ended with ${signal}`);
    const text = await errors;
    if (/^\s+at .+[:(]/m.test(text)) this.violated("output", `${name} printed a stack trace: ${text}`);
  }
}

/** Kills a process, whatever it does. */
export function kill(process: Process): void {
  if (Number.isFinite(process.ended) || process.child.exitCode !== null) return;
  process.killed = Math.min(process.killed, performance.now());
  process.child.kill("SIGKILL");
}

/** Ends a process's input. */
export function closeInput({ child }: Process): void {
  void Promise.resolve(child.stdin.end()).catch(() => {}); // it was killed
}
