import { expect } from "bun:test";
import { cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { commandFile, noBunOptions, serverEntry } from "../../src/setup/claude-code.ts";
import { hookEntries } from "../../src/setup/hook-entries.ts";
import { relayBinary, type Sandbox, sandbox } from "./sandbox.ts";

/** The files that setup changes, below the home folder. */
export const paths = {
  code: ".claude.json",
  settings: ".claude/settings.json",
  command: ".claude/commands/get.md",
  send: ".claude/commands/send.md",
  desktop: ".config/Claude/claude_desktop_config.json",
  record: ".relay_install.json",
};

/** The parts that setup puts into an empty home, for a buffer. */
export function installed({ buffer }: { buffer: string }) {
  const { UserPromptExpansion, SessionStart } = hookEntries(relayBinary, false, buffer);
  return {
    server: serverEntry(relayBinary, buffer, noBunOptions),
    desktopServer: { command: relayBinary, args: ["--client", "desktop", "--db", buffer] },
    settings: {
      hooks: { UserPromptExpansion: [UserPromptExpansion], SessionStart: [SessionStart] },
      permissions: {
        allow: ["mcp__relay__relay_send", "Read(~/.relay_files/**)"],
        deny: ["Read(~/.relay_url)", "Read(~/.relay_buffer.db*)"],
      },
    },
    command: commandFile(relayBinary, buffer),
    send: commandFile(relayBinary, buffer, "send"),
  };
}

/**
 * A stand-in for Claude Code's program, which keeps nothing but its own registrations: setup's rules are tested with it,
 * and the real one in claude-code.test.ts.
 */
export function installFakeClaude(box: Sandbox, version = "2.1.330"): void {
  writeFileSync(
    join(box.programs, "claude"),
    `#!/bin/sh
printf '%s\\n' "$*" >>"$HOME/claude-calls"
config="\${CLAUDE_CONFIG_DIR:-$HOME}/.claude.json"
case "$1 $2" in
  "--version ") echo "${version} (Claude Code)" ;;
  "mcp add-json") if grep -qs '"relay"' "$config"; then echo "relay exists" >&2; exit 1; fi
    mkdir -p "$(dirname "$config")"; printf '{"mcpServers":{"relay":%s}}' "$4" >"$config" ;;
  "mcp remove") printf '{"mcpServers":{}}' >"$config" ;;
  *) exit 64 ;;
esac
`,
    { mode: 0o755 },
  );
}

/** A home folder of a person with Claude Code and perhaps Claude Desktop. Use with `await using`. */
export function home({ desktop = false } = {}): Sandbox {
  const box = sandbox();
  installFakeClaude(box);
  if (desktop) mkdirSync(join(box.home, ".config/Claude"), { recursive: true });
  return box;
}

/** Runs a command that must succeed, and answers its output. */
export async function run(box: Sandbox, args: string[], env: Record<string, string> = {}): Promise<string> {
  const { status, stdout, stderr } = await box.relay(args, { env });
  expect([status, stderr]).toEqual([0, ""]);
  return stdout;
}

/** Runs a command that must fail with this one sentence, and change nothing at all. */
export async function expectRefused(
  box: Sandbox,
  args: string[],
  sentence: string | RegExp,
  env: Record<string, string> = {},
): Promise<void> {
  const before = snapshot(box.home);
  const { status, stdout, stderr } = await box.relay(args, { env });
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(sentence);
  expect(stderr.trimEnd().split("\n").length).toBe(1);
  expect(snapshot(box.home)).toEqual(before);
}

/** Writes a file below the home folder. */
export function put(box: Sandbox, path: string, content: string | Uint8Array | object, mode = 0o644): string {
  const file = join(box.home, path);
  mkdirSync(dirname(file), { recursive: true });
  const raw = typeof content === "string" || content instanceof Uint8Array;
  writeFileSync(file, raw ? content : `${JSON.stringify(content, null, 2)}\n`, { mode });
  return file;
}

/** The text of a file below the home folder. */
export function text(box: Sandbox, path: string): string {
  return readFileSync(join(box.home, path), "utf8");
}

/** The value of a JSON file below the home folder. */
export function json(box: Sandbox, path: string) {
  return JSON.parse(text(box, path));
}

/** Every file, link and folder below a folder, by mode and content, except those that the fake Claude Code keeps. */
export function snapshot(
  folder: string,
  ignored: readonly string[] = ["claude-calls", ".claude.json"],
): Record<string, string> {
  const found: Record<string, string> = {};
  const walk = (path: string, name: string) => {
    const stats = lstatSync(path);
    if (stats.isSymbolicLink()) found[name] = `-> ${readlinkSync(path)}`;
    else if (!stats.isDirectory()) found[name] = `${(stats.mode & 0o777).toString(8)} ${readFileSync(path, "base64")}`;
    else {
      found[name] = "folder";
      for (const entry of readdirSync(path)) if (!ignored.includes(entry)) walk(join(path, entry), `${name}/${entry}`);
    }
  };
  walk(folder, ".");
  return found;
}

/** A copy of the binary below the home folder. */
export function copyBinary(binary: string, to: string): string {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(binary, to);
  return to;
}
