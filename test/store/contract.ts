// What every store promises (core/store.ts), whatever holds the messages. Two stores over one buffer are two processes.
import { describe, expect, test } from "bun:test";
import { type Client, clients } from "../../src/core/client.ts";
import type { ClearedBy } from "../../src/core/leased-page.ts";
import { describeFiles } from "./files-contract.ts";
import { Fixture, type MakeBuffer, numbers, request, texts } from "./fixture.ts";
import { describeHistory } from "./history-contract.ts";
import { describeNotifications } from "./notification-contract.ts";
import { describePages } from "./page-contract.ts";
import { describeProjects } from "./project-contract.ts";

/** Registers the tests of an implementation. */
export function describeStore(name: string, make: MakeBuffer): void {
  describe(name, () => {
    describe("a send", () => describeSends(make));
    describe("files", () => describeFiles(make));
    describe("a look", () => describeLooks(make));
    describePages(make);
    describe("a dropped message", () => describeDropped(make));
    describe("a clear", () => describeClears(make));
    describe("a ticket", () => describeTickets(make));
    describeHistory(make);
    describeProjects(make);
    describeNotifications(make);
    describe("calls", () => describeCalls(make));
  });
}

function describeSends(make: MakeBuffer): void {
  test("gets a receipt: its id, and how many messages wait", async () => {
    await using t = new Fixture(make);
    const send = (sender: "desktop" | "code") => t.one.append({ sender, message: "x", notify: "never" });
    const nothing = { evicted: [], evicted_unread: [], project: null, seenProjects: null, notification: null };
    expect(await send("desktop")).toEqual({ id: 1, unread: 1, ...nothing });
    expect(await send("desktop")).toEqual({ id: 2, unread: 2, ...nothing });
    expect(await send("code")).toEqual({ id: 3, unread: 1, ...nothing });
  });

  test.each(["", "\u0000\r\n\u001b[2J", "é 漢字 👩‍💻 \u{e0041}\ufeff", "x".repeat(65_536)])(
    "keeps its text as it is: %j",
    async (text) => {
      await using t = new Fixture(make);
      await t.send("desktop", text);
      expect(await t.waiting()).toEqual([text]);
    },
  );

  test("makes room by the oldest read message, and by an unread one only if all are unread", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", ...numbers(1, 10));
    await t.send("code", ...numbers(11, 20));
    await t.read({ reader: "desktop", limit: 2 }); // 11 and 12
    const evictions: unknown[] = [];
    for (let n = 21; n <= 24; n++) {
      const { evicted, evicted_unread, unread } = await t.one.append({
        sender: "desktop",
        message: `${n}`,
        notify: "never",
      });
      evictions.push([evicted, evicted_unread, unread]);
    }
    expect(evictions).toEqual([
      [[11], [], 11],
      [[12], [], 12],
      [[1], [1], 12],
      [[2], [2], 12],
    ]);
    expect((await t.one.counts()).total).toBe(20);
  });

  test("gives no id again, not even that of a message that is gone", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1", "2");
    await t.one.clear("command line");
    expect(await t.send("desktop", "3")).toEqual([3]);
  });
}

function describeLooks(make: MakeBuffer): void {
  test("finds an empty buffer where there is none, and makes none", async () => {
    await using t = new Fixture(make);
    const page = { messages: [], remaining: 0, others: [], inFlight: 0, dropped: [], tooLong: null };
    const nobody = { desktop: null, code: null };
    const unread = { desktop: 0, code: 0 };
    const counts = { total: 0, history: 0, unread, projects: [], latest: null, delivered: nobody };
    for (let turn = 1; turn <= 2; turn++) {
      expect(await t.one.lease(request())).toEqual({ page, lease: null });
      expect(await t.one.peek(request())).toEqual(page);
      expect([await t.one.lastPage("code", null), await t.one.latest(20)]).toEqual([[], []]);
      expect(await t.one.counts()).toEqual(counts);
      expect(await t.one.clear("code")).toEqual({ deleted: 0, deleted_unread: 0, deleted_history: 0 });
      expect(await t.one.leaseNotifications()).toEqual([]);
      expect(await t.one.redeemTicket({ id: "a", process: 1, project: null }, request())).toBeNull();
    }
  });

  test("counts what is there and what waits, and names the newest without its text", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1", "2", "3");
    const at = new Date(t.time).toISOString();
    await t.read({ limit: 1 });
    await t.send("code", "4");
    const timestamp = new Date(t.time - 1).toISOString();
    expect(await t.two.counts()).toEqual({
      total: 4,
      history: 0,
      unread: { desktop: 1, code: 2 },
      projects: [],
      latest: { id: 4, sender: "code", timestamp },
      delivered: { desktop: null, code: { count: 1, at, origin: "command", project: null } },
    });
  });

  test("changes nothing, however often", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", ...numbers(1, 21)); // 1 is dropped
    await t.read({ limit: 3 });
    await t.send("desktop", "22"); // 2 makes room for it
    const look = async () => [
      await t.two.peek(request({ limit: 5, includeRead: true })),
      await t.two.lastPage("code", null),
      await t.two.latest(5),
      await t.two.counts(),
    ];
    const first = await look();
    expect(await look()).toEqual(first);
    const { page } = await t.two.lease(request({ limit: 5, includeRead: true }));
    expect(page).toEqual(first[0] as typeof page);
  });

  test("shows the last page once more, also what left the window", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1", "2", "3");
    await t.read({ limit: 1 });
    t.time += 1;
    await t.read();
    expect(texts(await t.one.lastPage("code", null))).toEqual(["2", "3"]);
    await t.send("desktop", ...numbers(4, 22));
    expect(texts(await t.one.lastPage("code", null))).toEqual(["2", "3"]);
    expect(await t.one.lastPage("desktop", null)).toEqual([]);
  });

  test("shows the newest messages of both sides in time order, whole ones of 64 KB together", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1", "2");
    await t.send("code", "3", "4");
    expect(texts(await t.one.latest(3))).toEqual(["2", "3", "4"]);
    const long = "x".repeat(65_536);
    await t.send("code", long);
    expect(texts(await t.one.latest(3))).toEqual([long]);
  });
}

function describeDropped(make: MakeBuffer): void {
  const dropped = async (t: Fixture, reader: "desktop" | "code" = "code") =>
    (await t.one.peek(request({ reader }))).dropped;

  test("is named on its reader's pages until one is acked", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", ...numbers(1, 22));
    const lost = [1, 2].map((id) => ({ id, kept: true, cleared_by: null }));
    const first = await t.lease({ limit: 1 });
    expect(first.page.dropped).toEqual(lost);
    await t.two.release(first.lease, true);
    t.time += 5_000;
    expect((await t.read({ limit: 1 })).dropped).toEqual(lost);
    expect(await dropped(t)).toEqual([]);
    expect(await dropped(t, "desktop")).toEqual([]);
  });

  test("is worth a page of its own", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1");
    await t.one.clear("command line");
    const { page, lease } = await t.lease();
    expect([page.messages, page.dropped]).toEqual([[], [{ id: 1, kept: false, cleared_by: "command line" }]]);
    await t.two.ack(lease);
    expect((await t.two.lease(request())).lease).toBeNull();
  });

  test("is not told if it left the buffer on its way to its reader, and arrived", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1");
    const { lease } = await t.lease();
    await t.send("desktop", ...numbers(2, 22));
    expect(await dropped(t)).toEqual([1, 2].map((id) => ({ id, kept: true, cleared_by: null })));
    await t.two.ack(lease);
    expect(await dropped(t)).toEqual([{ id: 2, kept: true, cleared_by: null }]);
  });
}

function describeClears(make: MakeBuffer): void {
  const clears: [by: ClearedBy, told: Record<Client, number[]>][] = [
    ["desktop", { desktop: [], code: [2] }],
    ["code", { desktop: [3], code: [] }],
    ["command line", { desktop: [2, 3], code: [2, 3] }],
    ["unknown", { desktop: [3], code: [2] }],
  ];
  test.each(clears)("by %s deletes everything, and the other readers miss what was unread", async (by, told) => {
    await using t = new Fixture(make);
    await t.send("desktop", "1", "2");
    await t.send("code", "3");
    await t.read({ limit: 1 });
    expect(await t.one.clear(by)).toEqual({ deleted: 3, deleted_unread: 2, deleted_history: 0 });
    expect((await t.one.counts()).total).toBe(0);
    for (const reader of clients) {
      const { dropped } = await t.two.peek(request({ reader }));
      expect(dropped).toEqual(told[reader].map((id) => ({ id, kept: false, cleared_by: by })));
    }
  });

  test("on the command line is told once, to whoever reads first", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1");
    await t.send("code", "2");
    await t.one.clear("command line");
    expect((await t.read()).dropped.map(({ id }) => id)).toEqual([1, 2]);
    for (const reader of clients) expect((await t.two.peek(request({ reader }))).dropped).toEqual([]);
  });

  test("leaves what was dropped before as it was", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", ...numbers(1, 21));
    await t.one.clear("code");
    expect((await t.one.peek(request())).dropped).toEqual([{ id: 1, kept: false, cleared_by: null }]);
  });
}

function describeTickets(make: MakeBuffer): void {
  const session = { id: "a", process: 1, project: "relay" };
  const again = { words: "again", ids: [2, 3] };

  test.each([
    ["at once", 0, true],
    ["after 4.999 s", 4_999, true],
    ["not after 5 s", 5_000, false],
    ["not if it is from the future: the clock was set back", -1, false],
  ])("is redeemed %s", async (_when, later, isValid) => {
    await using t = new Fixture(make);
    await t.one.issueTicket(session, again);
    t.time += later;
    const redeemed = await t.two.redeemTicket(session, request());
    expect(redeemed).toEqual(isValid ? { ...again, leased: null } : null);
  });

  test("is redeemed once, by its session in its process, and only the newest one", async () => {
    await using t = new Fixture(make);
    await t.one.issueTicket(session, { ...again, ids: [1] });
    await t.two.issueTicket(session, again);
    for (const other of [
      { ...session, id: "b" },
      { ...session, process: 2 },
    ])
      expect(await t.one.redeemTicket(other, request())).toBeNull();
    expect((await t.one.redeemTicket(session, request()))?.ids).toEqual([2, 3]);
    expect(await t.one.redeemTicket(session, request())).toBeNull();
  });

  test("is not issued for 10 s after its session asked for one in vain, and others get theirs", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1");
    expect(await t.one.redeemTicket(session, request())).toBeNull();
    expect(await t.two.issueTicket({ ...session, process: 2 }, again)).toBe(true);
    t.time += 9_999;
    expect(await t.two.issueTicket(session, again)).toBe(false);
    t.time += 1;
    expect(await t.two.issueTicket(session, again)).toBe(true);
    expect((await t.one.redeemTicket(session, request()))?.words).toBe("again");
  });

  test("without words leases a page of its own messages, for the project it was issued in", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1", "2");
    await t.one.issueTicket(session, { words: "", ids: [1, 3] });
    await t.send("desktop", "3", "4");
    const redeemed = await t.one.redeemTicket({ ...session, project: null }, request({ origin: "typed" }));
    expect(texts(redeemed?.leased?.page.messages ?? [])).toEqual(["1", "3"]);
    expect(await t.waiting()).toEqual(["2", "4"]);
    if (redeemed?.leased?.lease) await t.two.ack(redeemed.leased.lease);
    expect(texts(await t.one.lastPage("code", null))).toEqual(["1", "3"]);
    expect(texts(await t.one.find([4, 1, 9]))).toEqual(["1", "4"]);
    expect((await t.two.counts()).delivered.code).toMatchObject({ count: 2, origin: "typed", project: "relay" });
  });
}

function describeCalls(make: MakeBuffer): void {
  test("of one process are done in their order", async () => {
    await using t = new Fixture(make);
    const sends = numbers(1, 15).map((message) => t.one.append({ sender: "desktop", message, notify: "never" }));
    const page = t.one.lease(request({ limit: 5 }));
    const clear = t.one.clear("code");
    expect((await Promise.all(sends)).map(({ id }) => `${id}`)).toEqual(numbers(1, 15));
    expect(texts((await page).page.messages)).toEqual(numbers(1, 5));
    expect(await clear).toEqual({ deleted: 15, deleted_unread: 15, deleted_history: 0 });
  });

  test("of two processes at once give every message to one of them", async () => {
    await using t = new Fixture(make);
    const stores = numbers(1, 20).map((_, index) => (index % 2 === 0 ? t.one : t.two));
    const sent = await Promise.all(
      stores.map((store, n) => store.append({ sender: "desktop", message: `${n}`, notify: "never" })),
    );
    expect(sent.map(({ id }) => id).sort((a, b) => a - b)).toEqual(numbers(1, 20).map(Number));
    const pages = await Promise.all(stores.map((store) => store.lease(request({ limit: 1 }))));
    const leased = pages.flatMap(({ page }) => page.messages.map(({ id }) => id));
    expect(leased.sort((a, b) => a - b)).toEqual(numbers(1, 20).map(Number));
  });

  test("that were cancelled do nothing", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1");
    const signal = AbortSignal.abort(new Error("cancelled"));
    const message = { sender: "desktop", message: "2", notify: "never" } as const;
    for (const call of [
      () => t.one.append(message, signal),
      () => t.one.lease(request(), signal),
      () => t.one.clear("code", signal),
    ])
      await expect(call()).rejects.toThrow("cancelled");
    expect(await t.waiting()).toEqual(["1"]);
  });

  test("after a close open the buffer again", async () => {
    await using t = new Fixture(make);
    t.one.close();
    await t.send("desktop", "1");
    t.one.close();
    t.one.close();
    await t.send("desktop", "2");
    expect(await t.waiting()).toEqual(["1", "2"]);
  });
}
