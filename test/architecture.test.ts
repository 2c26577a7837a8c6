// design.md, "Shape of the code": arrows point inward, the environment is read in one place, hot paths load little.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";

const source = join(import.meta.dir, "../src");
const files = [...new Glob("**/*.ts").scanSync(source)].sort();

/** What a ring may import besides itself and the single files at the top of `src`. */
const arrows: Record<string, string[]> = {
  "main.ts": ["cli"],
  cli: ["server", "doctor", "setup", "store", "notify", "platform", "core"],
  server: ["store", "notify", "platform", "core"],
  doctor: ["setup", "store", "notify", "platform", "core"],
  setup: ["store", "notify", "platform", "core"],
  store: ["core"],
  notify: ["platform", "core"],
  platform: ["core"],
  core: [],
};

function ringOf(file: string): string {
  if (file === "main.ts") return file;
  return file.includes("/") ? (file.split("/")[0] ?? "") : "";
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(source, file), "utf8");
  return [...text.matchAll(/(?:from|import) ?\(?"([^"]+)"/g)].map((match) => match[1] ?? "");
}

test("nothing in an inner ring imports an outer one", () => {
  const wrong = files.flatMap((file) =>
    importsOf(file)
      .filter((path) => path.startsWith("."))
      .map((path) => ringOf(join(file, "..", path)))
      .filter(
        (ring) =>
          ring !== "" && ring !== ".." && ring !== ringOf(file) && !arrows[ringOf(file)]?.includes(ring),
      )
      .map((ring) => `${file} -> ${ring}`),
  );
  expect(wrong).toEqual([]);
});

test("the environment and well-known paths are read in one module", () => {
  const readers = files.filter((file) =>
    /process\.env|Bun\.env|homedir|tmpdir|isatty|isTTY/.test(readFileSync(join(source, file), "utf8")),
  );
  expect(readers).toEqual(["platform/environment.ts"]);
});

const sdk = /^(@modelcontextprotocol|zod)/;

test("the MCP SDK and zod stay in the server", () => {
  const users = files.filter((file) => importsOf(file).some((path) => sdk.test(path)));
  expect(users.filter((file) => !file.startsWith("server/"))).toEqual([]);
});

test("what a command line loads before it knows its verb has neither", () => {
  const reached = new Set<string>();
  const follow = (file: string) => {
    if (reached.has(file)) return;
    reached.add(file);
    const text = readFileSync(join(source, file), "utf8");
    for (const [, path = ""] of text.matchAll(/^(?:import|export) (?!type)[^;]*?from "(\.[^"]+\.ts)"/gm))
      follow(join(file, "..", path));
  };
  follow("main.ts");
  expect([...reached].filter((file) => importsOf(file).some((path) => sdk.test(path)))).toEqual([]);
  expect(reached.size).toBeGreaterThan(20);
});
