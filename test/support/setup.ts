import {
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Sandbox } from "./sandbox.ts";

/**
 * A stand-in for Claude Code's program, which keeps nothing but its own registrations: setup's rules are tested with it,
 * and what the real one does in claude-code.test.ts.
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

/** Writes a file below the home folder. */
export function put(box: Sandbox, path: string, content: string | Uint8Array | object, mode = 0o644): string {
  const file = join(box.home, path);
  mkdirSync(dirname(file), { recursive: true });
  const raw = typeof content === "string" || content instanceof Uint8Array;
  writeFileSync(file, raw ? content : `${JSON.stringify(content, null, 2)}\n`, { mode });
  return file;
}

/** What a file below the home folder says as JSON. */
export function json(box: Sandbox, path: string) {
  return JSON.parse(readFileSync(join(box.home, path), "utf8"));
}

/** Every file, link and folder below a folder: its mode and its content. What the fake Claude Code keeps does not count. */
export function snapshot(
  folder: string,
  ignored: readonly string[] = ["claude-calls", ".claude.json"],
): Record<string, string> {
  const found: Record<string, string> = {};
  const walk = (path: string, name: string) => {
    const stats = lstatSync(path);
    if (stats.isSymbolicLink()) found[name] = `-> ${readlinkSync(path)}`;
    else if (!stats.isDirectory())
      found[name] = `${(stats.mode & 0o777).toString(8)} ${readFileSync(path, "base64")}`;
    else {
      found[name] = "folder";
      for (const entry of readdirSync(path))
        if (!ignored.includes(entry)) walk(join(path, entry), `${name}/${entry}`);
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
