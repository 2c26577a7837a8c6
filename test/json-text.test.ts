// Other programs' JSON files: a change touches what it names, and nothing else.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type ParseError, parse } from "jsonc-parser";
import { jsonText, type Path } from "../src/setup/json-text.ts";
import { print } from "./support/json-layout.ts";

const settings = `{
  // mine
  "numbers": [1.0, 1e3, -0], "model": "opus", // the good one
  "hooks": {
    "Stop": [
      { "hooks": [] } // none yet
    ]
  },
  "permissions": {}
}
`;

describe("a change", () => {
  test.each<[string, string, (text: ReturnType<typeof jsonText>) => { text: string }, string]>([
    ["adds to an object in one line", '{"a":1}', (json) => json.set(["b"], 2), '{"a":1,"b":2}'],
    ["adds to an empty file", "", (json) => json.set(["b", "c"], 2), '{\n  "b": {\n    "c": 2\n  }\n}\n'],
    ["adds to an empty object", "{}\n", (json) => json.set(["b"], 2), '{"b":2}\n'],
    ["adds to an empty object over two lines", "{\n}\n", (json) => json.set(["b"], 2), '{\n  "b": 2\n}\n'],
    [
      "keeps tabs and CRLF",
      '{\r\n\t"a": {\r\n\t\t"b": 1\r\n\t}\r\n}',
      (json) => json.set(["a", "c"], [2]),
      '{\r\n\t"a": {\r\n\t\t"b": 1,\r\n\t\t"c": [\r\n\t\t\t2\r\n\t\t]\r\n\t}\r\n}',
    ],
    [
      "adds before a trailing comma's end",
      '{\n  "a": 1,\n}',
      (json) => json.set(["b"], 2),
      '{\n  "a": 1,\n  "b": 2,\n}',
    ],
    [
      "leaves a comment with its line",
      '{\n  "a": 1 // one\n}',
      (json) => json.set(["b"], 2),
      '{\n  "a": 1, // one\n  "b": 2\n}',
    ],
    [
      "appends in the array's own layout",
      '{"x": ["a", "b"]}',
      (json) => json.append(["x"], "c"),
      '{"x": ["a", "b", "c"]}',
    ],
    ["makes what leads to an array", '{"x":{}}', (json) => json.append(["x", "y"], "c"), '{"x":{"y":["c"]}}'],
    ["replaces one value", '{ "a" : 1.0 , "b":2 }', (json) => json.set(["b"], 3), '{ "a" : 1.0 , "b":3 }'],
    ["removes the only property", '{ "a": 1 }', (json) => json.remove(["a"]), "{}"],
    [
      "removes the first property",
      '{\n  "a": 1,\n  "b": 2\n}',
      (json) => json.remove(["a"]),
      '{\n  "b": 2\n}',
    ],
    [
      "removes the last property",
      '{\n  "a": 1, // one\n  "b": 2\n}',
      (json) => json.remove(["b"]),
      '{\n  "a": 1 // one\n}',
    ],
    [
      "removes an element",
      '["x"]'.replace(/.*/, '{"x": [1, 2, 3]}'),
      (json) => json.remove(["x", 1]),
      '{"x": [1, 3]}',
    ],
    [
      "keeps a line comment's end",
      '{"x": [1, // one\n 2]}',
      (json) => json.remove(["x", 1]),
      '{"x": [1 // one\n]}',
    ],
  ])("%s", (_name, before, change, after) => {
    expect(change(jsonText(before, "the file")).text).toBe(after);
  });

  test("leaves everything else as it was spelled", () => {
    const added = jsonText(settings, "the file")
      .append(["hooks", "Stop"], { hooks: ["x"] })
      .append(["permissions", "allow"], "y");
    expect(added.text).toBe(
      settings
        .replace(
          '{ "hooks": [] } // none yet',
          '{ "hooks": [] }, // none yet\n      {\n        "hooks": [\n          "x"\n        ]\n      }',
        )
        .replace('"permissions": {}', '"permissions": {\n    "allow": [\n      "y"\n    ]\n  }'),
    );
    expect(added.remove(["hooks", "Stop", 1]).remove(["permissions", "allow"]).text).toBe(settings);
  });
});

test.each([
  ['{"a": 1', "the file is not valid JSON (line 1: CloseBraceExpected). It was left alone; mend it."],
  ["[]", "the file is JSON, but not an object. It was left alone; mend it."],
  ['{"a": {}, "a": {}}', 'the file has "a" twice. It was left alone; take one of them out.'],
  ['{"a": "text"}', '"a" in the file is not an object. Mend it, and run this again.'],
])("%j is refused in one sentence", (text, sentence) => {
  expect(() => jsonText(text, "the file").set(["a", "b"], 1)).toThrow(sentence);
});

test("a file that is nested without end is refused before anybody walks through it", () => {
  const nested = (depth: number) =>
    jsonText(`{"a": ${"[".repeat(depth)}${"]".repeat(depth)}, "b": {}}`, "the file");
  expect(nested(499).set(["b", "c"], 1).at(["b"])).toEqual({ c: 1 });
  expect(() => nested(500)).toThrow("the file is nested more than 500 deep. It was left alone; mend it.");
  expect(() => nested(1_000_000)).toThrow("nested more than 500 deep");
});

test("a property where an array should be is refused", () => {
  expect(() => jsonText('{"a": {}}', "the file").append(["a"], 1)).toThrow(
    '"a" in the file is not an array.',
  );
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
  .tuple(document, fc.boolean(), fc.constantFrom("\n", "\r\n"), fc.infiniteStream(fc.nat(1_000)))
  .map(([value, comments, eol, stream]) =>
    print(value, (n) => (stream.next().value ?? 0) % n, comments, eol),
  );

function value(text: string): unknown {
  const errors: ParseError[] = [];
  const found = parse(text, errors, { allowTrailingComma: true });
  expect(errors).toEqual([]);
  return found;
}

function comments(text: string): string[] {
  return (text.match(/\/\* c \*\/|\/\/ c\r?\n/g) ?? []).map((each) => each.trimEnd()).sort();
}

/** What stands in the file besides white space and comments. */
function ink(text: string): string {
  return text.replace(/\/\* c \*\/|\/\/ c\r?\n|\s/g, "");
}

test("for any text: what is added is there, everything else is as it was, and taking it out again leaves the same", () => {
  fc.assert(
    fc.property(
      texts,
      fc.array(key, { minLength: 1, maxLength: 3 }),
      fc.json({ maxDepth: 2 }),
      fc.boolean(),
      (text, path, added, element) => {
        const before = jsonText(text, "f");
        let container: unknown = value(text);
        let depth = 0;
        for (const each of path) {
          if (
            typeof container !== "object" ||
            container === null ||
            Array.isArray(container) ||
            !Object.hasOwn(container, each)
          )
            break;
          container = (container as Record<string, unknown>)[each];
          depth += 1;
        }
        fc.pre(
          depth === path.length
            ? element && Array.isArray(container)
            : typeof container === "object" && container !== null && !Array.isArray(container),
        );
        const content = JSON.parse(added);
        const after = element ? before.append(path, content) : before.set(path, content);
        const place: Path = element
          ? [...path, depth === path.length ? (container as unknown[]).length : 0]
          : path;
        expect(after.at(place)).toEqual(content);
        expect(comments(after.text)).toEqual(comments(text));
        const created = path.slice(0, depth + 1);
        const back = depth === path.length ? after.remove(place) : after.remove(created);
        expect(value(back.text)).toEqual(value(text) as never);
        expect(ink(back.text)).toBe(ink(text));
        expect(comments(back.text)).toEqual(comments(text));
      },
    ),
    { numRuns: 3_000 },
  );
});

test("for any text: taking out any part leaves a text without it, and every comment outside it", () => {
  const paths = (found: unknown, path: Path = []): Path[] => {
    if (typeof found !== "object" || found === null) return [];
    const keys: (string | number)[] = Array.isArray(found) ? [...found.keys()] : Object.keys(found);
    return keys.flatMap((each) => [[...path, each], ...paths((found as never)[each], [...path, each])]);
  };
  fc.assert(
    fc.property(texts, fc.nat(), (text, pick) => {
      const all = paths(value(text));
      fc.pre(all.length > 0);
      const path = all[pick % all.length] ?? [];
      const expected = structuredClone(value(text)) as never;
      const parent = path.slice(0, -1).reduce<never>((inner, each) => inner[each], expected);
      const last = path.at(-1) as never;
      if (Array.isArray(parent)) (parent as unknown[]).splice(last, 1);
      else delete parent[last];
      expect(value(jsonText(text, "f").remove(path).text)).toEqual(expected);
    }),
    { numRuns: 3_000 },
  );
});
