// Other programs' JSON files: a change touches only the part that it names.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { errorMessage } from "../src/core/errors.ts";
import { type JsonText, jsonText, type Path } from "../src/setup/json-text.ts";
import { print } from "./support/json-layout.ts";

const set = (path: Path, value: unknown) => (json: JsonText) => json.set(path, value);
const append = (path: Path, value: unknown) => (json: JsonText) => json.append(path, value);
const remove = (path: Path) => (json: JsonText) => json.remove(path);

test.each<[string, string, (json: JsonText) => JsonText, string]>([
  ["adds to an object in one line", '{"a": 1}', set(["b"], 2), '{"a": 1,"b": 2}'],
  ["adds to an object in one line, with its space", '{ "a": 1 }', set(["b"], 2), '{ "a": 1, "b": 2 }'],
  ["adds to an empty file", "", set(["b", "c"], 2), '{\n  "b": {\n    "c": 2\n  }\n}\n'],
  ["adds to an empty object", "{}\n", set(["b"], 2), '{"b": 2}\n'],
  ["adds to an empty object over two lines", "{\n}\n", set(["b"], 2), '{\n  "b": 2\n}\n'],
  ["keeps tabs and CRLF", '{\r\n\t"a": 1\r\n}', set(["b"], [2]), '{\r\n\t"a": 1,\r\n\t"b": [\r\n\t\t2\r\n\t]\r\n}'],
  ["appends in an array's own layout", '{"x": ["a", "b"]}', append(["x"], "c"), '{"x": ["a", "b", "c"]}'],
  ["makes an array", '{"x": {}}', append(["x", "y"], "c"), '{"x": {"y": ["c"]}}'],
  ["replaces one value", '{ "a" : 1.0 , "b":2 }', set(["b"], 3), '{ "a" : 1.0 , "b":3 }'],
  ["removes the only property", '{ "a": 1 }', remove(["a"]), "{}"],
  ["removes the first property", '{\n  "a": 1,\n  "b": 2\n}', remove(["a"]), '{\n  "b": 2\n}'],
  ["removes the last property", '{\n  "a": 1 ,\n  "b": 2\n}', remove(["b"]), '{\n  "a": 1 \n}'],
  ["removes an element", '{"x": [1, 2, 3]}', remove(["x", 1]), '{"x": [1, 3]}'],
])("%s", (_name, before, change, after) => {
  expect(change(jsonText(before, "the file")).text).toBe(after);
});

test.each([
  ['{"a": 1', "the file is not valid JSON (line 1: close brace expected)"],
  ['{\n"a": {} // x\n}', "the file is not valid JSON (line 2: invalid comment token)"],
  ['{"a": {},\n}', "the file is not valid JSON (line 2: property name expected)"],
  ["[]", "the file is JSON, but not an object"],
  ['{"a": {}, "a": {}}', 'the file has "a" twice'],
  ['{"a": "text"}', '"a" in the file is not an object'],
  ['{"a": {"b": {}}}', '"a.b" in the file is not an array'],
])("%j is refused in one sentence", (text, problem) => {
  const change = () => jsonText(text, "the file").append(["a", "b"], 1);
  expect(change).toThrow(problem);
  try {
    change();
  } catch (error) {
    expect(errorMessage(error)).toStartWith(`${problem}. It was left alone; `);
  }
});

const key = fc.constantFrom("hooks", "a", "b", "permissions", 'ü "x"');
const { document } = fc.letrec((tie) => ({
  document: fc.dictionary(key, tie("value"), { maxKeys: 4 }),
  value: fc.oneof(
    { depthSize: "small" },
    fc.integer(),
    fc.string({ maxLength: 5 }),
    fc.constantFrom(null, true),
    tie("document"),
    fc.array(tie("value"), { maxLength: 4 }),
  ),
}));
const texts = fc
  .tuple(document, fc.constantFrom("\n", "\r\n"), fc.infiniteStream(fc.nat(1_000)))
  .map(([value, eol, stream]) => print(value, (n) => (stream.next().value ?? 0) % n, eol));

/** The text without white space. */
function tokens(text: string): string {
  return text.replace(/\s/g, "");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** How much of a path is there, and the value at that place. */
function follow(value: unknown, path: readonly string[]): { depth: number; last: unknown } {
  const [key, ...rest] = path;
  if (key === undefined || !isObject(value) || !Object.hasOwn(value, key)) return { depth: 0, last: value };
  const { depth, last } = follow(value[key], rest);
  return { depth: depth + 1, last };
}

test("in any text an addition changes nothing else, and its removal restores the text", () => {
  const path = fc.array(key, { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(texts, path, fc.json({ maxDepth: 2 }), fc.boolean(), (text, path, added, isElement) => {
      const { depth, last } = follow(JSON.parse(text), path);
      const isWhole = depth === path.length;
      fc.pre(isWhole ? isElement && Array.isArray(last) : isObject(last));
      const content = JSON.parse(added);
      const before = jsonText(text, "f");
      const after = isElement ? before.append(path, content) : before.set(path, content);
      const place: Path = isElement ? [...path, isWhole ? (last as unknown[]).length : 0] : path;
      expect(after.at(place)).toEqual(content);
      const back = after.remove(isWhole ? place : path.slice(0, depth + 1));
      expect(JSON.parse(back.text)).toEqual(JSON.parse(text) as never);
      expect(tokens(back.text)).toBe(tokens(text));
    }),
    { numRuns: 3_000 },
  );
});

function pathsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [];
  const keys: (string | number)[] = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return keys.flatMap((each) => [[...path, each], ...pathsIn((value as never)[each], [...path, each])]);
}

test("in any text the removal of a part leaves the text without it", () => {
  fc.assert(
    fc.property(texts, fc.nat(), (text, pick) => {
      const all = pathsIn(JSON.parse(text));
      fc.pre(all.length > 0);
      const path = all[pick % all.length] ?? [];
      const expected = structuredClone(JSON.parse(text)) as never;
      const parent = path.slice(0, -1).reduce<never>((inner, each) => inner[each], expected);
      const last = path.at(-1) as never;
      if (Array.isArray(parent)) (parent as unknown[]).splice(last, 1);
      else delete parent[last];
      expect(JSON.parse(jsonText(text, "f").remove(path).text)).toEqual(expected);
    }),
    { numRuns: 3_000 },
  );
});
