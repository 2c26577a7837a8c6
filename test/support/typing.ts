import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { commandFile } from "../../src/setup/claude-code.ts";
import { type Outcome, relayBinary, type Sandbox } from "./sandbox.ts";

/** A Claude Code session with a person at it; the process of the tests stands for Claude Code. */
export interface TypedSession {
  /** The environment of its hooks, inline commands and Bash. */
  env: Record<string, string>;
  /** The event of a typed command, as Claude Code would send it. */
  event(words?: string, overrides?: Record<string, unknown>): string;
  /** Runs the hook as Claude Code does: itself, with a pipe of its own making. */
  hook(input: string | Uint8Array, env?: Record<string, string>, event?: string): Promise<Outcome>;
  /** Runs the command's inline slot. */
  typed(env?: Record<string, string>): Promise<Outcome>;
  /** Types `/get WORDS`: the hook, and then the slot, unless the hook answered; then its answer is the output. */
  get(words?: string, overrides?: Record<string, unknown>): Promise<Outcome>;
}

/** Installs the command in the sandbox and opens a session. */
export function openTypedSession(box: Sandbox, id: string = crypto.randomUUID()): TypedSession {
  installCommand(box, "commands/get.md", commandFile(relayBinary));
  installCommand(box, "commands/send.md", commandFile(relayBinary, null, "send"));
  // relay looks whether CLAUDE_PID is Claude Code
  if (process.platform === "linux") writeFileSync("/proc/self/comm", "claude");
  const env = {
    RELAY_NOTIFY: "off",
    CLAUDECODE: "1",
    CLAUDE_CODE_CHILD_SESSION: "1",
    CLAUDE_CODE_SESSION_ATTENDED: "1",
    CLAUDE_CODE_SESSION_ID: id,
    CLAUDE_PID: String(process.pid),
  };
  const session: TypedSession = {
    env,
    event: (words = "", overrides = {}) =>
      JSON.stringify({
        session_id: id,
        hook_event_name: "UserPromptExpansion",
        expansion_type: "slash_command",
        command_name: "get",
        command_args: words,
        command_source: "userSettings",
        prompt: `/get ${words}`.trim(),
        ...overrides,
      }),
    async hook(input, extra = {}, event = "user-prompt-expansion") {
      const child = Bun.spawn([relayBinary, "hook", event], {
        env: { ...box.env, ...env, ...extra },
        cwd: box.home,
        stdin: "pipe",
        stdout: "pipe",
        stderr: "pipe",
      });
      const write = async () => {
        child.stdin.write(input);
        await child.stdin.end();
      };
      await write().catch(() => {}); // it may have read enough
      const [stdout, stderr] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ]);
      return { status: child.exitCode, stdout, stderr };
    },
    typed: (extra = {}) => box.run([relayBinary, "typed"], { env: { ...env, ...extra } }),
    async get(words = "", overrides = {}) {
      const hook = await session.hook(session.event(words, overrides));
      const { decision, reason } = JSON.parse(hook.stdout || "{}");
      return decision === "block" ? { ...hook, stdout: `${reason}\n` } : session.typed();
    },
  };
  return session;
}

/** Puts a file below the person's Claude folder. */
export function installCommand(box: Sandbox, path: string, text: string, folder = ".claude"): void {
  const file = join(box.home, folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
