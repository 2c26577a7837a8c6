import { expect, test } from "bun:test";
import fc from "fast-check";
import { readLines } from "../src/platform/input.ts";

/** A stream of bytes, cut into chunks of these sizes in turn. */
function streamOf(bytes: Uint8Array, sizes: number[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (let at = 0, n = 0; at < bytes.length; n++) {
        const size = sizes[n % sizes.length] ?? 1;
        controller.enqueue(bytes.slice(at, at + size));
        at += size;
      }
      controller.close();
    },
  });
}

test("lines come out the same however the bytes are cut", async () => {
  const parts = fc.array(fc.oneof(fc.constant("\n"), fc.string({ unit: "grapheme" })), { maxLength: 12 });
  const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(parts, cuts, async (texts, sizes) => {
      const text = texts.join("");
      const lines = text.split("\n");
      if (lines.at(-1) === "") lines.pop(); // nothing after the last newline is no line
      const read = await Array.fromAsync(readLines(streamOf(new TextEncoder().encode(text), sizes)));
      expect(read).toEqual(lines.map((line) => line.replace(/^\ufeff/, "")));
    }),
  );
});

test("a line over 16 MB comes as null, and the next one is whole", async () => {
  const limit = 16 * 1024 * 1024;
  const bytes = new Uint8Array(2 * limit + 9).fill("x".charCodeAt(0));
  for (const at of [limit, 2 * limit + 2]) bytes[at] = "\n".charCodeAt(0);
  const lines = await Array.fromAsync(readLines(streamOf(bytes, [1_000_003])));
  expect(lines.map((line) => line?.length)).toEqual([limit, undefined, 6]);
});
