import { describe, expect, test } from "bun:test";
import type { NotificationLease, NotificationPolicy, Store } from "../../src/core/store.ts";
import { Fixture, type MakeBuffer, request } from "./fixture.ts";

/** Registers the tests of who announces which message, and when. */
export function describeNotifications(make: MakeBuffer): void {
  describe("a new message", () => describeNewMessages(make));
  describe("a notification", () => describeLeases(make));
  describe("a server", () => describeServers(make));
  describe("a preference", () => describePreferences(make));
}

/** Stores a message for Code, and answers the notification that the sender is to show. */
async function send(store: Store, message: string, notify: NotificationPolicy = "now") {
  return (await store.append({ sender: "desktop", message, notify })).notification;
}

/** What a look finds to announce: `message`, `2: oldest message`, `1 more: message`. */
async function look(store: Store, options?: { final: boolean }): Promise<string[]> {
  return (await store.leaseNotifications(options)).map(said);
}

/** A running server that has looked. */
async function startServer(t: Fixture, process: number): Promise<Store> {
  await t.send("code", "so that there is a buffer");
  const server = t.server(process);
  await look(server);
  return server;
}

function said({ count, more, message }: NotificationLease): string {
  return more ? `${count} more: ${message}` : count > 1 ? `${count}: ${message}` : message;
}

function describeNewMessages(make: MakeBuffer): void {
  test.each([
    ["now", ["1"], []],
    ["later", [], ["1"]],
    ["never", [], []],
  ] as const)("is announced %s", async (notify, bySender, byOthers) => {
    await using t = new Fixture(make);
    const notification = await send(t.one, "1", notify);
    expect([notification].filter((lease) => lease !== null).map(said)).toEqual([...bySender]);
    expect(await look(t.two)).toEqual([...byOthers]);
  });

  test("is announced to its reader", async () => {
    await using t = new Fixture(make);
    expect(await send(t.one, "text")).toEqual({
      id: expect.any(String),
      reader: "code",
      count: 1,
      more: false,
      message: "text",
      typed_in: null,
      project: null,
      sound: "default",
    });
  });

  test("is announced as the person's own if no other message is among them", async () => {
    await using t = new Fixture(make);
    const typed = { sender: "desktop", message: "typed", typed_in: "terminal", notify: "later" } as const;
    for (let count = 0; count < 2; count++) await t.one.append(typed);
    expect(await t.two.leaseNotifications()).toMatchObject([{ count: 2, typed_in: "terminal" }]);
    await t.one.append(typed);
    expect((await t.one.append({ ...typed, typed_in: null, notify: "now" })).notification).toMatchObject({
      count: 2,
      typed_in: null,
    });
  });

  test("is not announced once it was read, nor while a page holds it", async () => {
    await using t = new Fixture(make);
    await send(t.one, "1", "later");
    await send(t.one, "2", "later");
    await t.read({ limit: 1 });
    await t.lease({ limit: 1 });
    expect(await look(t.two)).toEqual([]);
    t.time += 5_000;
    expect(await look(t.two)).toEqual(["2"]);
  });

  test("is announced at once in the cooldown if no server runs that will look", async () => {
    await using t = new Fixture(make);
    await startServer(t, 7);
    t.running.delete(7); // it was killed
    const notifications = [await send(t.one, "1"), await send(t.two, "2")];
    expect(notifications.map((lease) => lease && said(lease))).toEqual(["1", "2"]);
  });
}

function describeLeases(make: MakeBuffer): void {
  test("tells of all that waits, and of each reader's messages by itself", async () => {
    await using t = new Fixture(make);
    for (const message of ["1", "2"]) await send(t.one, message, "later");
    await t.one.append({ sender: "code", message: "3", notify: "later" });
    const leases = await t.two.leaseNotifications();
    expect(leases.map((lease) => [lease.reader, said(lease)])).toEqual([
      ["desktop", "3"],
      ["code", "2: 1"],
    ]);
  });

  test("that was shown is not shown again", async () => {
    await using t = new Fixture(make);
    const lease = await send(t.one, "1");
    if (lease) await t.two.markNotified(lease);
    t.time += 60_000;
    expect(await look(t.two)).toEqual([]);
  });

  test.each([
    ["has 20 s", 19_999, []],
    ["that nobody marked for 20 s is another's to show", 20_000, ["1"]],
    ["from the future is another's to show: the clock was set back", -1, ["1"]],
  ])("%s", async (_name, later, found) => {
    await using t = new Fixture(make);
    await send(t.one, "1");
    t.time += later;
    expect(await look(t.two)).toEqual(found);
  });

  test("that failed is another's to show at once, and there is no cooldown", async () => {
    await using t = new Fixture(make);
    const server = await startServer(t, 7);
    const lease = await send(t.one, "1");
    if (lease) await t.one.releaseNotification(lease);
    expect(await look(server)).toEqual(["1"]);
  });

  test("is tried twice", async () => {
    await using t = new Fixture(make);
    const lease = await send(t.one, "1");
    if (lease) await t.one.releaseNotification(lease);
    const [second] = await t.two.leaseNotifications();
    if (second) await t.two.releaseNotification(second);
    expect(second).toMatchObject({ message: "1" });
    expect(await look(t.two)).toEqual([]);
    expect(await send(t.one, "2")).toMatchObject({ message: "2", count: 1 });
  });

  test("that expired marks and releases nothing of another's", async () => {
    await using t = new Fixture(make);
    const late = await send(t.one, "1");
    t.time += 20_000;
    const [lease] = await t.two.leaseNotifications();
    if (late) await t.one.markNotified(late);
    if (late) await t.one.releaseNotification(late);
    expect(await look(t.two)).toEqual([]); // it is still on its way
    if (lease) await t.two.releaseNotification(lease);
    expect(lease).toMatchObject({ message: "1" });
  });
}

function describeServers(make: MakeBuffer): void {
  test.each([
    ["announces what came within 2 s of a notification as more, 2 s after it", 2_000, ["2 more: 2"]],
    ["leaves the reader alone before", 1_999, []],
    ["leaves nobody alone when the clock was set back", -1, ["2: 2"]],
  ])("%s", async (_name, later, found) => {
    await using t = new Fixture(make);
    const server = await startServer(t, 7);
    const first = await send(t.one, "1");
    if (first) await t.one.markNotified(first);
    expect([await send(t.two, "2"), await send(server, "3")]).toEqual([null, null]);
    t.time += later;
    expect(await look(server)).toEqual(found);
  });

  test("finds what others stored since its last look", async () => {
    await using t = new Fixture(make);
    const server = await startServer(t, 7);
    await send(t.one, "1", "later");
    expect(await look(server)).toEqual(["1"]);
  });

  test("that ends announces what is left, unless another one will", async () => {
    await using t = new Fixture(make);
    const [one, two] = [await startServer(t, 7), await startServer(t, 8)];
    await send(t.one, "1");
    await send(t.one, "2");
    expect(await look(one, { final: true })).toEqual([]);
    expect(await look(two, { final: true })).toEqual(["1 more: 2"]);
    expect(await send(t.one, "3")).toMatchObject({ message: "3" }); // nobody looks any more
  });

  test("whose notifier failed does not count as one that looks, until it looks again", async () => {
    await using t = new Fixture(make);
    const server = await startServer(t, 7);
    const failed = await send(server, "1");
    if (failed) await server.releaseNotification(failed);
    expect(await send(t.one, "2")).toMatchObject({ message: "1", count: 2 });
    expect(await send(t.one, "3")).toMatchObject({ message: "3" });
    await look(server);
    expect(await send(t.one, "4")).toBeNull();
  });
}

function describePreferences(make: MakeBuffer): void {
  test("names the sound of its client's notifications, and of nobody else's", async () => {
    await using t = new Fixture(make);
    await t.two.prefer("code", { notify: true, sound: "bell" });
    expect(await send(t.one, "1")).toMatchObject({ sound: "bell" });
    const { notification } = await t.one.append({ sender: "code", message: "2", notify: "now" });
    expect(notification).toMatchObject({ sound: "default" });
    await t.two.prefer("code", { notify: true, sound: "default" });
    expect(await send(t.one, "3")).toMatchObject({ sound: "default" });
  });

  test("for no notifications means that what comes counts as announced", async () => {
    await using t = new Fixture(make);
    await send(t.one, "before", "later");
    await t.two.prefer("code", { notify: false, sound: "default" });
    expect(await send(t.one, "meanwhile")).toBeNull();
    await t.two.prefer("code", { notify: true, sound: "off" });
    expect(await look(t.two)).toEqual([]);
    expect(await send(t.one, "after")).toMatchObject({ message: "after", sound: "off", count: 1 });
    expect((await t.one.peek(request())).messages).toHaveLength(3);
  });
}
