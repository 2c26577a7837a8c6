// How the file is written, and how long it is waited for: design.md, "The file".
import { describe, expect, test } from "bun:test";
import { copyFileSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../src/core/clock.ts";
import { connect, Replaced } from "../src/store/connection.ts";
import { sqliteBuffer } from "../src/store/sqlite-store.ts";
import { openPatiently } from "./support/database.ts";
import { type Sandbox, sandbox } from "./support/sandbox.ts";

function open(box: Sandbox, clock = systemClock) {
  const buffer = sqliteBuffer(() => box.buffer, clock);
  box.defer(() => buffer.close());
  const append = (message: string) =>
    buffer.append({ sender: "desktop", message, announce: "never", claim: crypto.randomUUID() });
  return { ...buffer, append };
}

test.each([
  ["journal_mode", "truncate"],
  ["synchronous", 2], // FULL
  ["fullfsync", 1],
  ["secure_delete", 1],
  ["trusted_schema", 0],
])("the file is opened with %s = %s", async (pragma, value) => {
  await using box = sandbox();
  const opened = connect(box.buffer, true, () => {});
  box.defer(() => opened?.db.close());
  expect(opened?.db.query(`PRAGMA ${pragma}`).values()).toEqual([[value]]);
});

test("a file that was exchanged as it was opened is not taken for the one before", async () => {
  await using box = sandbox();
  connect(box.buffer, true, () => {})?.db.close();
  const other = join(box.home, "other");
  copyFileSync(box.buffer, other);
  expect(() => connect(box.buffer, false, () => renameSync(other, box.buffer))).toThrow(Replaced);
});

describe("nothing is left in the file of a message that was", () => {
  const texts: [name: string, text: string][] = [
    ["one of several in a page", "sesame ".repeat(100)],
    ["as long as many pages", "sesame ".repeat(9_000)],
  ];

  test.each(texts)("cleared, %s", async (_name, text) => {
    await using box = sandbox();
    const buffer = open(box);
    await buffer.append(text);
    expect(readFileSync(box.buffer).includes("sesame")).toBe(true);
    await buffer.clear("code");
    expect(readFileSync(box.buffer).includes("sesame")).toBe(false);
  });

  test.each(texts)("dropped because the buffer was full, %s", async (_name, text) => {
    await using box = sandbox();
    const buffer = open(box);
    await buffer.append(text);
    for (let n = 1; n < 20; n++) await buffer.append("x");
    expect(readFileSync(box.buffer).includes("sesame")).toBe(true);
    expect(await buffer.append("x")).toMatchObject({ evicted: [1] });
    expect(readFileSync(box.buffer).includes("sesame")).toBe(false);
  });
});

test("a lock is waited for as long as 5 s, and no longer", async () => {
  await using box = sandbox();
  const clock = { time: 0, now: Date.now, elapsed: () => clock.time };
  const buffer = open(box, clock);
  await buffer.append("first");
  using other = openPatiently(box.buffer);
  other.run("BEGIN IMMEDIATE");
  const outcome = buffer.append("second").catch((error) => error.message);
  clock.time = 4_999;
  expect(await Promise.race([outcome, Bun.sleep(500)])).toBeUndefined();
  clock.time = 5_000;
  expect(await Promise.race([outcome, Bun.sleep(2_000)])).toContain("is locked by another program");
});
