// Setup on Windows, as far as it can be told from another system: where files are, and what is never started.
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { placesOf } from "../src/platform/paths.ts";
import { planCode } from "../src/setup/code-plan.ts";
import { findClaude } from "../src/setup/program.ts";
import type { SetupContext } from "../src/setup/setup-context.ts";
import { type Sandbox, sandbox } from "./support/sandbox.ts";
import { put } from "./support/setup.ts";
import { systemOf } from "./support/system.ts";

const code = { scope: "user", statusline: false } as const;

/** A Windows with npm's Claude Code, which is a script for cmd.exe. */
function openWindows(box: Sandbox, version: string): SetupContext {
  const shim = put(box, "npm/claude.cmd", "@echo off");
  put(box, "npm/node_modules/@anthropic-ai/claude-code/package.json", { version });
  const system = {
    ...systemOf("windows", {}, []),
    find: (name: string) => (name === "claude" ? shim : null),
  };
  const places = placesOf(box.home, system);
  return { system, places, executable: "C:\\relay\\relay.exe", folder: box.home, buffer: null };
}

describe("npm's claude.cmd, which only a shell could start,", () => {
  test("is told by its package to be new enough; the person registers the server, relay does the rest", async () => {
    await using box = sandbox();
    const { commands, changes, next } = await planCode(openWindows(box, "2.1.330"), code);
    expect(commands).toEqual([]);
    expect(changes.map(({ path }) => path)).toEqual([
      join(box.home, ".claude/settings.json"),
      join(box.home, ".claude/commands/get.md"),
    ]);
    expect(next[0]).toBe(
      'Register the server: claude mcp add --scope user relay -- "C:\\relay\\relay.exe" --client code',
    );
  });

  test("is refused below the first version that asks", async () => {
    await using box = sandbox();
    expect(planCode(openWindows(box, "2.1.198"), code)).rejects.toThrow(
      /Claude Code 2\.1\.198 would let a model/,
    );
    expect(existsSync(join(box.home, ".claude"))).toBe(false);
  });
});

test("the native program is preferred to npm's", () => {
  const both = systemOf("windows", {}, ["/c/npm/claude", "/c/bin/claude.exe"]);
  expect(findClaude(both, "/c/home")).toBe("/c/bin/claude.exe");
  expect(findClaude(systemOf("windows", {}, ["/c/npm/claude"]), "/c/home")).toBe("/c/npm/claude");
});

test("Claude Desktop's folders: the usual one, and those of the store's package", async () => {
  await using box = sandbox();
  const local = join(box.home, "AppData/Local");
  mkdirSync(join(local, "Packages/Claude_pzs8sxrjxfjjc/LocalCache"), { recursive: true });
  mkdirSync(join(local, "Packages/Other_x"), { recursive: true });
  const { desktopFolders } = placesOf(box.home, {
    kind: "windows",
    variables: { APPDATA: "/roaming", LOCALAPPDATA: local },
  });
  expect(desktopFolders).toEqual([
    "/roaming/Claude",
    join(local, "Packages/Claude_pzs8sxrjxfjjc/LocalCache/Roaming/Claude"),
  ]);
});
