// design.md, "Shape of the code": arrows point inward, the environment is read in one place, hot paths load little.
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Glob } from "bun";

const root = join(import.meta.dir, "..");
const source = join(root, "src");
const files = [...new Glob("**/*.ts").scanSync(source)].sort();

/** What each ring may import besides itself. */
const arrows: Record<string, string[]> = {
  main: ["cli"],
  cli: ["server", "doctor", "setup", "store", "notify", "platform", "core"],
  server: ["store", "notify", "platform", "core"],
  doctor: ["setup", "store", "notify", "platform", "core"],
  setup: ["store", "notify", "platform", "core"],
  store: ["core"],
  notify: ["platform", "core"],
  platform: ["core"],
  core: [],
};

/** Every import between two files of `src`, types included, as the compiler resolved it. */
function compilerImports(): [from: string, to: string][] {
  const { stdout } = Bun.spawnSync([join(root, "node_modules/.bin/tsc"), "--explainFiles"], { cwd: root });
  const imports: [string, string][] = [];
  let file = "";
  for (const line of stdout.toString().split("\n")) {
    if (!line.startsWith(" ")) file = line.trim();
    const from = /^ {3}Imported via ".*" from file '(src\/[^']+)'/.exec(line)?.[1];
    if (from && file.startsWith("src/")) imports.push([from.slice(4), file.slice(4)]);
  }
  return imports;
}

const imports = compilerImports();

function ringOf(file: string): string {
  return file.includes("/") ? (file.split("/")[0] ?? "") : basename(file, ".ts");
}

test("main.ts is alone at the top, and every file belongs to a ring", () => {
  expect(files.filter((file) => !file.includes("/"))).toEqual(["main.ts"]);
  expect([...new Set(files.map(ringOf))].sort()).toEqual(Object.keys(arrows).sort());
});

test("the compiler's graph reaches every file", () => {
  const imported = new Set(imports.map(([, to]) => to));
  expect(files.filter((file) => file !== "main.ts" && !imported.has(file))).toEqual([]);
});

test("no ring imports an outer one", () => {
  const wrong = imports.filter(([from, to]) => {
    const [outer, inner] = [ringOf(from), ringOf(to)];
    return inner !== outer && !arrows[outer]?.includes(inner);
  });
  expect(wrong.map(([from, to]) => `${from} -> ${to}`)).toEqual([]);
});

test("no files import each other in a circle", () => {
  const targets = Map.groupBy(imports, ([from]) => from);
  const done = new Set<string>();
  const visit = (file: string, path: string[]): void => {
    if (path.includes(file)) throw new Error(`circle: ${[...path.slice(path.indexOf(file)), file].join(" -> ")}`);
    if (done.has(file)) return;
    for (const [, to] of targets.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
});

test("no file name stands in two folders", () => {
  const all = ["src", "test", "build"].flatMap((folder) => [...new Glob("**/*.ts").scanSync(join(root, folder))]);
  const byName = Map.groupBy(all, (file) => basename(file));
  expect([...byName.values()].filter((same) => same.length > 1)).toEqual([]);
});

test("the environment and well-known paths are read in one module", () => {
  const readers = files.filter((file) =>
    /process\.env|Bun\.env|homedir|tmpdir|isatty|isTTY/.test(readFileSync(join(source, file), "utf8")),
  );
  expect(readers).toEqual(["platform/environment.ts"]);
});

const transpiler = new Bun.Transpiler({ loader: "ts" });

/** What a file imports when it is loaded, types and lazy imports left out. */
function loadedBy(file: string): string[] {
  const scanned = transpiler.scanImports(readFileSync(join(source, file)));
  return scanned.filter(({ kind }) => kind === "import-statement").map(({ path }) => path);
}

test("what a command line loads before it knows its verb has neither the MCP SDK nor zod", () => {
  const reached = new Set<string>();
  const heavy: string[] = [];
  const follow = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const path of loadedBy(file)) {
      if (path.startsWith(".") && path.endsWith(".ts")) follow(join(file, "..", path));
      if (/^(@modelcontextprotocol|zod)/.test(path)) heavy.push(`${file} -> ${path}`);
    }
  };
  follow("main.ts");
  expect(heavy).toEqual([]);
  expect(reached.size).toBeGreaterThan(20);
});

test("the way of a message in core/README.md names files that are there", () => {
  const text = readFileSync(join(source, "core/README.md"), "utf8");
  const named = [...text.matchAll(/`((?:cli|server|core|store|notify|platform|setup|doctor)\/[\w/-]+\.ts)`/g)];
  expect(named.length).toBeGreaterThan(15);
  expect(named.map(([, file = ""]) => file).filter((file) => !existsSync(join(source, file)))).toEqual([]);
});
