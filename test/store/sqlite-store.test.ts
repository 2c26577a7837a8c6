import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/core/clock.ts";
import type { Store } from "../../src/core/store.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { openPatiently } from "../support/database.ts";
import { describeStore } from "./contract.ts";
import { type MakeBuffer, numbers, request, type TestProcess } from "./fixture.ts";

/** Makes a folder for a buffer file, which stores open by their own options. */
function makeFolder() {
  const folder = mkdtempSync(join(tmpdir(), "relay-store-"));
  const path = join(folder, "buffer.db");
  const stores: Store[] = [];
  return {
    path,
    open(options: Partial<ConstructorParameters<typeof SqliteStore>[0]> = {}): Store {
      const defaults = { locate: () => path, clock: systemClock, isRunning: () => true };
      const store = new SqliteStore({ ...defaults, ...options });
      stores.push(store);
      return store;
    },
    async [Symbol.asyncDispose]() {
      for (const store of stores) store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

const make: MakeBuffer = (clock, isRunning) => {
  const folder = makeFolder();
  const open = ({ historyDays = 90, ...process }: TestProcess = {}) =>
    folder.open({ clock, isRunning, historyDays: () => historyDays, ...process });
  return { ...folder, open };
};

describeStore("a store in a SQLite file", make);

const message = { sender: "desktop", message: "text", notify: "never" } as const;

test("a preference makes a file only if it is not the default one", async () => {
  await using folder = makeFolder();
  const store = folder.open();
  await store.prefer("code", { notify: true, sound: "default" });
  expect(existsSync(folder.path)).toBe(false);
  await store.prefer("code", { notify: true, sound: "bell" });
  expect(existsSync(folder.path)).toBe(true);
});

test("the person is told of a page even if all of it left the window while it was in flight", async () => {
  await using folder = makeFolder();
  const store = folder.open();
  for (const text of numbers(1, 20)) await store.append({ ...message, message: text });
  const { lease } = await store.lease(request({ limit: 1 }));
  if (!lease) throw new Error("nothing to lease");
  expect((await store.append(message)).evicted).toEqual([1]);
  await store.ack(lease);
  expect((await store.counts()).delivered.code).toMatchObject({ count: 1, origin: "command" });
});

test("a look that finds nothing to announce writes nothing", async () => {
  await using folder = makeFolder();
  const store = folder.open({ server: 7 });
  await store.append(message);
  await store.leaseNotifications(); // from now on it counts as one that looks
  const before = readFileSync(folder.path);
  await store.leaseNotifications();
  expect(readFileSync(folder.path).equals(before)).toBe(true);
});

test("an expired ticket leaves nothing of what it carried in the file", async () => {
  await using folder = makeFolder();
  let time = 1_800_000_000_000;
  const store = folder.open({ clock: { now: () => time, elapsed: () => performance.now() } });
  await store.issueTicket({ id: "a", process: 1, project: null }, { words: "words that nobody redeems", ids: [] });
  expect(readFileSync(folder.path).includes("words that")).toBe(true);
  time += 30_000;
  await store.leaseNotifications();
  expect(readFileSync(folder.path).includes("words that")).toBe(false);
});

test("a project leaves nothing in the file once no session of it was seen for 30 days", async () => {
  await using folder = makeFolder();
  let time = 1_800_000_000_000;
  const store = folder.open({ clock: { now: () => time, elapsed: () => performance.now() } });
  const see = (project: string) => store.issueTicket({ id: "a", process: 1, project }, { words: "", ids: [] });
  await see("tmp.Xy12");
  time += 31 * 86_400_000;
  await see("api");
  expect(readFileSync(folder.path).includes("tmp.Xy12")).toBe(false);
});

test("a lock is waited for, and then the call fails, having changed nothing", async () => {
  await using folder = makeFolder();
  const store = folder.open({ lockTimeoutMs: 100 });
  await store.append(message);
  using other = openPatiently(folder.path);
  other.run("BEGIN IMMEDIATE");
  const refused = store.append(message);
  await expect(refused).rejects.toMatchObject({
    kind: "buffer",
    message: `${folder.path} is locked by another program`,
  });
  expect((await store.counts()).total).toBe(1); // a reader waits for no writer
  const later = folder.open();
  const waiting = numbers(2, 9).map(() => later.append(message));
  await Bun.sleep(20);
  other.run("ROLLBACK");
  expect((await Promise.all(waiting)).map(({ id }) => `${id}`)).toEqual(numbers(2, 9)); // in their order
});

test("a call that waits for a lock ends with its signal, and the next one goes on", async () => {
  await using folder = makeFolder();
  const store = folder.open();
  await store.append(message);
  using other = openPatiently(folder.path);
  other.run("BEGIN IMMEDIATE");
  const controller = new AbortController();
  const cancelled = store.append(message, controller.signal);
  const next = store.append(message);
  await Bun.sleep(20);
  controller.abort(new Error("cancelled"));
  await expect(cancelled).rejects.toThrow("cancelled");
  other.run("ROLLBACK");
  expect(await next).toMatchObject({ id: 2 });
});
