// What the documents list is true: tools, commands, flags, exit codes, environment. Their links lead somewhere.
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { connect } from "./support/peer.ts";
import { sandbox } from "./support/sandbox.ts";

const root = join(import.meta.dir, "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const documents = ["README.md", ...new Glob(".github/**/*.md").scanSync({ cwd: root, dot: true })];
const text = documents.map(read).join("\n");

/** A section of the documents; each table stands once. */
function section(title: string): string {
  return new RegExp(`^## ${title}\n([^]*?)(?=^##? |$(?![^]))`, "m").exec(text)?.[1] ?? "";
}

/** The cells of each row of the first table, header aside. */
function rows(title: string): string[][] {
  const lines = section(title)
    .split("\n")
    .filter((line) => line.startsWith("| "));
  return lines.slice(2).map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function codes(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] ?? "");
}

test("the tools and their arguments", async () => {
  await using box = sandbox();
  const { client } = await connect(box);
  const tools = (await client.listTools()).tools.map(({ name, inputSchema }) => [
    name,
    Object.keys(inputSchema.properties ?? {}),
  ]);
  const documented = rows("Tools").map(([name = "", args = ""]) => [name.replaceAll("`", ""), codes(args, /`(\w+)`/g)]);
  expect(documented).toEqual(tools);
});

describe("the flags of", () => {
  test.each(rows("Commands"))("%s", async (command, documented) => {
    await using box = sandbox();
    const verb = /relay ([\w-]+)/.exec(command)?.[1] ?? "";
    const { stdout } = await box.relay([verb, "--help"]);
    expect(codes(stdout, /^ {2}(?: {4}|-[tfn], )(--[\w-]+)/gm).sort()).toEqual(
      codes(documented, /`(--[\w-]+)/g).sort(),
    );
  });

  test("every verb", async () => {
    await using box = sandbox();
    const verbs = codes((await box.relay(["help"])).stdout, /^ {2}([a-z][a-z-]+) {2,}\S/gm);
    expect(rows("Commands").flatMap(([command = ""]) => codes(command, /relay ([\w-]+)/g))).toEqual(verbs);
  });
});

test("the lines of doctor", () => {
  const files = ["doctor", "setup", "core"].flatMap((ring) => [...new Glob(`src/${ring}/*.ts`).scanSync(root)]);
  const source = files.map(read).join("");
  const lines = rows("What doctor says").flatMap(([line = ""]) => line.split(/`[^`]*`|…|, |\(.*\)/));
  for (const words of lines) expect(source).toContain(words.trim());
  expect(lines.length).toBeGreaterThan(20);
});

test("the exit codes", async () => {
  await using box = sandbox();
  const { stdout } = await box.relay(["help"]);
  const listed = [...stdout.matchAll(/^ {2}(\d) +(.*)$/gm)].map(([, code, meaning]) => [code, meaning]);
  expect(rows("Exit codes")).toEqual(listed as string[][]);
});

test("the environment", () => {
  const source = ["environment", "buffer-choice"].map((name) => read(`src/platform/${name}.ts`)).join("");
  const variables = new Set(codes(source, /variables\.([A-Z_]+)/g));
  for (const everybodys of ["TERM", "PATH", "HOME", "USER", "LOGNAME", "USERNAME"]) variables.delete(everybodys);
  const documented = new Set(codes(section("Environment"), /`([A-Z_]+)`/g));
  expect([...documented].sort()).toEqual([...variables].sort());
});

test.each([...new Glob("*.svg").scanSync(join(root, ".github/assets"))])(
  "%s needs nothing from elsewhere",
  (picture) => {
    const svg = read(`.github/assets/${picture}`);
    expect(svg.length).toBeLessThan(1_000_000);
    expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(/<script|@import|@font-face|https?:/);
  },
);

test.each(documents)("the links of %s", (document) => {
  const anchors = (path: string) =>
    codes(read(path), /^#+ (.*)$/gm).map((title) =>
      title
        .toLowerCase()
        .replace(/[^\w -]/g, "")
        .replaceAll(" ", "-"),
    );
  for (const [, path = "", anchor] of read(document).matchAll(
    /(?:\]\(|(?:src|srcset|href)=")(?!https?:)([^)#"]*)(?:#([^)"]*))?[)"]/g,
  )) {
    const workflow = path.replace(/^(?:\.\.\/){2}actions\/(workflows\/[\w.]+?\.yml)(?:\/badge\.svg)?$/, ".github/$1");
    const target = path === "" ? document : join(document, "..", workflow);
    expect([target, existsSync(join(root, target))]).toEqual([target, true]);
    if (anchor !== undefined) expect(anchors(target)).toContain(anchor);
  }
});
