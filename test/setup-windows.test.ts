// Setup on Windows, as far as another system can show it: where files are, and which programs are never started.
import { expect, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { join, relative } from "node:path";
import { placesOf } from "../src/platform/paths.ts";
import { planCode } from "../src/setup/code-plan.ts";
import { findClaude } from "../src/setup/program.ts";
import { systemOf } from "./support/fake-system.ts";
import { sandbox } from "./support/sandbox.ts";
import { paths, put } from "./support/setup-box.ts";

test.each<[string, RegExp | null]>([
  ["2.1.330", null],
  ["2.1.198", /Claude Code 2\.1\.198 would let a model/],
])("npm's claude.cmd of version %s, which only a shell could start, is never started", async (version, refusal) => {
  await using box = sandbox();
  const shim = put(box, "npm/claude.cmd", "@echo off");
  put(box, "npm/node_modules/@anthropic-ai/claude-code/package.json", { version });
  const find = (name: string) => (name === "claude" ? shim : null);
  const system = { ...systemOf("windows", {}, []), find };
  const places = placesOf(box.home, system);
  const context = { system, places, executable: "C:\\relay\\relay.exe", folder: box.home, buffer: null };
  const planned = planCode(context, { scope: "user", statusline: false });
  if (refusal) {
    await expect(planned).rejects.toThrow(refusal);
    expect(existsSync(join(box.home, ".claude"))).toBe(false);
    return;
  }
  const { commands, changes, next } = await planned;
  expect(commands).toEqual([]);
  const changed = [paths.settings, paths.command, paths.send].map((path) => join(box.home, path));
  expect(changes.map(({ path }) => path)).toEqual(changed);
  expect(next[0]).toBe(
    `Register the server: claude mcp add --scope user relay -e "BUN_OPTIONS=" -e "BUN_BE_BUN=" -- "C:\\relay\\relay.exe" --client code --db "${box.buffer}"`,
  );
});

test("the native program is preferred to npm's", () => {
  const both = systemOf("windows", {}, ["/c/npm/claude", "/c/bin/claude.exe"]);
  expect(findClaude(both, "/c/home")).toBe("/c/bin/claude.exe");
  expect(findClaude(systemOf("windows", {}, ["/c/npm/claude"]), "/c/home")).toBe("/c/npm/claude");
});

test("Claude Desktop's folders: the usual one, and those of packages and of gateways", async () => {
  await using box = sandbox();
  const flatpak = ".var/app/com.anthropic.Claude/config/Claude";
  const gateway = ".var/app/io.claude.Gateway/config/Claude-3p";
  const snap = "snap/claude-desktop/current/.config/Claude";
  const store = "AppData/Local/Packages/Claude_pzs8sxrjxfjjc/LocalCache/Roaming/Claude";
  const mac = "Library/Application Support/Claude";
  const others = ["AppData/Local/Packages/Other_x", "snap/other/current/.config/Claude"];
  const gateways = [`${flatpak}-3p`, gateway, `${mac}-3p`, "AppData/Local/Claude-3p"];
  for (const folder of [flatpak, snap, store, ...gateways, ...others])
    mkdirSync(join(box.home, folder), { recursive: true });
  const found = (kind: "windows" | "linux" | "macos") =>
    placesOf(box.home, { kind, variables: {} }).desktopFolders.map((folder) => relative(box.home, folder));
  expect(found("windows")).toEqual(["AppData/Roaming/Claude", store, "AppData/Local/Claude-3p"]);
  expect(found("macos")).toEqual([mac, `${mac}-3p`]);
  expect(found("linux").filter((folder) => existsSync(join(box.home, folder)))).toEqual([
    flatpak,
    snap,
    `${flatpak}-3p`,
    gateway,
  ]);
  expect(found("linux")[0]).toBe(".config/Claude");
});
