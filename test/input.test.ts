// Lines in, whatever the chunks: what the transport understands and what it answers by itself.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Line, lineReader } from "../src/server/lines.ts";
import { readInput } from "../src/server/requests.ts";

test("lines come out the same however the bytes are cut", () => {
  const streams = fc.array(fc.oneof(fc.constant("\n"), fc.string({ unit: "grapheme" })), { maxLength: 12 });
  const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
  fc.assert(
    fc.property(streams, cuts, (parts, sizes) => {
      const text = parts.join("");
      const bytes = new TextEncoder().encode(text);
      const reader = lineReader();
      const read: Line[] = [];
      for (let at = 0, n = 0; at < bytes.length; n++) {
        const size = sizes[n % sizes.length] ?? 1;
        read.push(...reader.push(bytes.slice(at, at + size)));
        at += size;
      }
      read.push(...reader.end());
      const lines = text.split("\n");
      if (lines.at(-1) === "") lines.pop(); // nothing after the last newline is no line
      expect(read).toEqual(lines.map((line) => ({ text: line.replace(/^\ufeff/, "") })));
    }),
  );
});

test("a line that is too long is told by its length, and the next one is whole", () => {
  const reader = lineReader(10);
  const read = (text: string) => reader.push(new TextEncoder().encode(text));
  expect(read("0123456789\n01234567890\n")).toEqual([{ text: "0123456789" }, { tooLong: 11 }]);
  expect([...read("012345"), ...read("6789abc"), ...read("def\nnext\n")]).toEqual([
    { tooLong: 16 },
    { text: "next" },
  ]);
});

describe("a line", () => {
  const lines: [text: string, outcome: object | null][] = [
    ["", null],
    [" \r", null],
    ['{"jsonrpc":"2.0","id":1,"method":"ping"}\r', { message: { id: 1, method: "ping" } }],
    [
      '{"jsonrpc":"2.0","id":"a","method":"x","params":{"arguments":null,"name":"n"}}',
      { message: { params: { name: "n" } } },
    ],
    ["{", { reply: { error: { code: -32700 } } }],
    ["null", { reply: { error: { code: -32600 } } }],
    ['{"jsonrpc":"2.0","id":7,"method":5}', { reply: { id: 7, error: { code: -32600 } } }],
    ['{"jsonrpc":"2.0","id":null,"method":"ping"}', { reply: { error: { code: -32600 } } }],
    ['[{"jsonrpc":"2.0","id":1,"method":"ping"}]', { reply: { error: { code: -32600 } } }],
  ];
  test.each(lines)("%j", (text, outcome) => {
    const input = readInput({ text });
    if (outcome) expect(input).toMatchObject(outcome);
    else expect(input).toBeNull();
  });

  test("with an id that no answer can bear is answered without one", () => {
    for (const id of ["1.5", "-9.6e176", "1e999", "null", "{}"])
      expect(readInput({ text: `{"jsonrpc":"2.0","id":${id},"method":"ping"}` })).not.toHaveProperty(
        "reply.id",
      );
  });

  test("of any JSON is a message, an answer or nothing, and never an exception", () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string({ unit: "binary" })), (text) => {
        const input = readInput({ text });
        expect(input === null || "message" in input || "reply" in input).toBe(true);
      }),
    );
  });
});
