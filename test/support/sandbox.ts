import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The binary under test: what `npm run build` made. */
export const relayBinary = join(import.meta.dir, "../../dist/relay");

/** How a command ended. */
export interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** How to run a command in a sandbox. */
interface RunOptions {
  env?: Record<string, string>;
  cwd?: string;
  stdin?: string | Uint8Array;
}

/** A home folder of its own, and an environment made from nothing. */
export interface Sandbox extends AsyncDisposable {
  home: string;
  /** The buffer file where relay looks for it by itself. */
  buffer: string;
  env: Record<string, string>;
  /** The folder in PATH where programs are found first, with a `notify-send` for machines that have none. */
  programs: string;
  /** Runs `relay`, with `RELAY_NOTIFY=off` unless the options say otherwise. */
  relay(args: string[], options?: RunOptions): Promise<Outcome>;
  /** Runs any program. */
  run(argv: string[], options?: RunOptions): Promise<Outcome>;
  /** What to undo before the folder goes, the latest first. */
  defer(undo: () => void | Promise<void>): void;
}

/** Use with `await using`: everything is gone at the end of the test. */
export function sandbox(): Sandbox {
  const home = mkdtempSync(join(tmpdir(), "relay-test-"));
  const undo: (() => void | Promise<void>)[] = [];
  const programs = mkdtempSync(join(tmpdir(), "relay-test-programs-"));
  // no notification reaches a real screen: there is no bus in this folder
  const runtime = { XDG_RUNTIME_DIR: home };
  const env = {
    HOME: home,
    PATH: `${programs}:/usr/local/bin:/usr/bin:/bin`,
    TMPDIR: home,
    LANG: "C.UTF-8",
    ...runtime,
  };
  writeFileSync(join(programs, "notify-send"), "#!/bin/sh\n", { mode: 0o755 });
  const run = async (argv: string[], options: RunOptions = {}): Promise<Outcome> => {
    const child = Bun.spawn(argv, {
      env: { ...env, ...options.env },
      cwd: options.cwd ?? home,
      stdin: options.stdin === undefined ? "ignore" : Buffer.from(options.stdin),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    await child.exited;
    return { status: child.exitCode, stdout, stderr };
  };
  return {
    home,
    programs,
    buffer: join(home, ".relay_buffer.db"),
    env,
    run,
    relay: (args, options = {}) =>
      run([relayBinary, ...args], { ...options, env: { RELAY_NOTIFY: "off", ...options.env } }),
    defer: (task) => void undo.push(task),
    async [Symbol.asyncDispose]() {
      for (const task of undo.reverse()) await task();
      for (const folder of [home, programs]) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Puts a message of each text into the buffer, for `to`. Answers their ids. */
export async function sendAll(box: Sandbox, to: "desktop" | "code", texts: string[]): Promise<number[]> {
  const ids: number[] = [];
  for (const text of texts) {
    const sent = await box.relay(["send", "--to", to, "--json"], { stdin: text });
    if (sent.status !== 0) throw new Error(sent.stderr);
    ids.push(JSON.parse(sent.stdout).id);
  }
  return ids;
}

/** The document of `relay get --json`. */
export interface Gotten {
  messages: {
    id: number;
    sender: string;
    message: string;
    typed_in: string | null;
    maybe_shown: boolean;
    files?: { name: string; type: string; size: number; sha256: string; kept: boolean }[];
    timestamp: string;
  }[];
  remaining: number;
  dropped: number[];
  elsewhere: number;
  cleared: number[];
}

/** Gets a page as JSON; marks its messages as read unless `--peek` is among the flags. */
export async function get(box: Sandbox, reader: "desktop" | "code", ...flags: string[]): Promise<Gotten> {
  const got = await box.relay(["get", "--for", reader, "--json", "--limit", "20", ...flags]);
  if (got.status !== 0) throw new Error(`exit ${got.status}: ${got.stdout}${got.stderr}`);
  return JSON.parse(got.stdout);
}

/** Runs relay on a terminal of its own, with `script`, and answers what the terminal showed. */
export async function onTerminal(box: Sandbox, line: string, env: Record<string, string> = {}, stdin = "") {
  const argv = ["script", "-qefc", `${relayBinary} ${line}`, "/dev/null"];
  const { stdout } = await box.run(argv, {
    stdin,
    env: { TERM: "xterm", RELAY_NOTIFY: "off", TZ: "Asia/Tokyo", ...env },
  });
  return stdout.replaceAll("\r", "");
}

/** Waits until `condition` holds; throws after `milliseconds`, ten times what is normal. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, milliseconds = 10_000) {
  const start = performance.now();
  while (!(await condition())) {
    const waited = performance.now() - start;
    if (waited > milliseconds) throw new Error(`never happened: ${what}`);
    await Bun.sleep(Math.min(10 + waited / 20, 100)); // a look may be a process of its own
  }
}
