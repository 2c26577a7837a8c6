// The README's lists are true: tools, commands, flags, environment.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { connect } from "./support/peer.ts";
import { sandbox } from "./support/sandbox.ts";

const root = join(import.meta.dir, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");

function section(title: string): string {
  return new RegExp(`^## ${title}\n([^]*?)(?=^## |$(?![^]))`, "m").exec(readme)?.[1] ?? "";
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
  const source = files.map((file) => readFileSync(join(root, file), "utf8")).join("");
  const lines = rows("What doctor says").flatMap(([line = ""]) => line.split(/`[^`]*`|…|, |\(.*\)/));
  for (const words of lines) expect(source).toContain(words.trim());
  expect(lines.length).toBeGreaterThan(20);
});

test("the environment", () => {
  const files = ["environment", "buffer-choice"].map((name) => join(root, `src/platform/${name}.ts`));
  const source = files.map((file) => readFileSync(file, "utf8")).join("");
  const read = new Set(codes(source, /variables\.([A-Z_]+)/g));
  for (const everybodys of ["TERM", "PATH", "HOME", "USER", "LOGNAME", "USERNAME"]) read.delete(everybodys);
  const documented = new Set(codes(section("Environment"), /`([A-Z_]+)`/g));
  expect([...documented].sort()).toEqual([...read].sort());
});
