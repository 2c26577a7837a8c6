import { describe, expect, test } from "bun:test";
import type { LogQuery } from "../../src/core/store.ts";
import { Fixture, type MakeBuffer, numbers, request, texts } from "./fixture.ts";

const day = 86_400_000;

/** Registers the tests of what left the window, and of finding messages again. */
export function describeHistory(make: MakeBuffer): void {
  describe("the history", () => describeKeeping(make));
  describe("the history keeps", () => describeLimits(make));
  describe("the log", () => describeLog(make));
}

function describeKeeping(make: MakeBuffer): void {
  test("has what leaves the window, read or not, as it was", async () => {
    await using t = new Fixture(make);
    const text = "é 漢字 👩‍💻\r\n\t\"'\\%_";
    await t.append({ sender: "code", message: text, typed_in: "terminal", project: "api" });
    await t.send("desktop", "2", "3");
    await t.append({ sender: "desktop", message: "4", reply_to: 1 });
    await t.read({ limit: 1 });
    const before = await t.one.find([1, 2, 3, 4]);
    expect(before).toMatchObject([{ message: text, typed_in: "terminal" }, {}, {}, { answered: text, project: "api" }]);
    await t.send("desktop", ...numbers(5, 24));
    expect(await t.two.find([4, 3, 2, 1, 99])).toEqual(before);
    const log = await t.two.log({ limit: 100 });
    expect(log.map(({ id }) => `${id}`)).toEqual(numbers(1, 24));
    expect(log.filter(({ left }) => left).map(({ id }) => id)).toEqual([1, 2, 3, 4]);
    for (const [at, { answered, redelivered, ...message }] of before.entries())
      expect(log[at]).toEqual({ ...message, left: true });
    expect(texts(await t.two.lastPage("code", null))).toEqual(["2"]);
    expect(await t.two.counts()).toMatchObject({ total: 20, history: 4 });
  });

  test("brings nothing back: pages and notifications are the window's", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", ...numbers(1, 25));
    expect(await t.waiting()).toEqual(numbers(6, 25));
    expect(texts(await t.one.latest(20))).toEqual(numbers(6, 25));
    expect((await t.one.counts()).unread.code).toBe(20);
    expect(await t.one.leaseNotifications()).toEqual([]);
  });

  test("shows as read what left the window in flight and arrived, and as unread what did not", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1", "2", "3");
    const arrived = await t.lease({ limit: 1 });
    const released = await t.lease({ limit: 1 });
    await t.send("desktop", ...numbers(4, 23));
    t.time += 1_000;
    const at = new Date(t.time).toISOString();
    await t.two.ack(arrived.lease);
    await t.two.release(released.lease, true);
    expect((await t.one.find([1, 2, 3])).map((message) => message.read_by_code_at)).toEqual([at, null, null]);
    t.time += 1_000;
    await t.two.ack(arrived.lease);
    expect(await t.one.find([1])).toMatchObject([{ read_by_code_at: at, read_by_desktop_at: null }]);
    expect((await t.one.peek(request())).dropped.map(({ id }) => id)).toEqual([2, 3]);
  });

  test("is cleared with the window, and counted apart", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", ...numbers(1, 23));
    await t.read({ limit: 5 });
    expect(await t.one.clear("code")).toEqual({ deleted: 20, deleted_unread: 15, deleted_history: 3 });
    expect([await t.two.find([1, 4, 23]), await t.two.log({ limit: 100 }), await t.two.lastPage("code", null)]).toEqual(
      [[], [], []],
    );
    expect(await t.two.counts()).toMatchObject({ total: 0, history: 0 });
    expect(await t.one.clear("code")).toEqual({ deleted: 0, deleted_unread: 0, deleted_history: 0 });
  });
}

function describeLimits(make: MakeBuffer): void {
  test("90 days, or as many as its process says", async () => {
    await using t = new Fixture(make);
    const longer = t.open({ historyDays: 100 });
    await t.send("desktop", ...numbers(1, 21));
    t.time += 90 * day - 60_000; // a database may go by its own clock
    await t.send("desktop", "22");
    expect(texts(await t.one.find([1, 2]))).toEqual(["1", "2"]);
    t.time += 120_000;
    await longer.append({ sender: "desktop", message: "23", notify: "never" });
    expect(texts(await t.one.find([1]))).toEqual(["1"]);
    await t.send("desktop", "24");
    expect((await t.one.find([1])).length).toBe(0);
  });

  test("nothing for a process that keeps none, and the pages say so", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", ...numbers(1, 21));
    expect((await t.one.peek(request())).dropped).toEqual([{ id: 1, kept: true, cleared_by: null }]);
    await t.open({ historyDays: 0 }).append({ sender: "desktop", message: "22", notify: "never" });
    expect((await t.one.counts()).history).toBe(0);
    expect((await t.one.peek(request())).dropped).toEqual([1, 2].map((id) => ({ id, kept: false, cleared_by: null })));
  });

  test("the newest 1,000 messages", async () => {
    await using t = new Fixture(make);
    await Promise.all(numbers(1, 1_021).map((message) => t.append({ sender: "desktop", message })));
    expect([(await t.one.counts()).history, (await t.one.find([1, 2])).length]).toEqual([1_000, 1]);
    expect((await t.one.log({ limit: 5_000 })).length).toBe(1_020);
  }, 60_000);

  test("the newest 64 MB", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1", "2".repeat(33_000_000), "é".repeat(16_500_000), "4", ...numbers(5, 23));
    expect((await t.one.find([1, 2, 3])).map(({ id }) => id)).toEqual([1, 2, 3]);
    await t.send("desktop", "5".repeat(2_000_000), ...numbers(25, 43));
    expect((await t.one.counts()).history).toBe(23);
    await t.send("desktop", "45"); // 2,000,000 bytes leave
    const found = await t.one.find([1, 2, 3, 4, 24]);
    expect(found.map(({ id }) => id)).toEqual([3, 4, 24]);
  }, 60_000);
}

function describeLog(make: MakeBuffer): void {
  test("ends with the newest messages, of the window and the history", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", ...numbers(1, 12));
    await t.send("code", ...numbers(13, 24));
    const found = async (limit: number) =>
      (await t.one.log({ limit })).map(({ id, left }) => `${id}${left ? "h" : ""}`);
    expect(await found(3)).toEqual(["22", "23", "24"]);
    expect(await found(22)).toEqual(["3h", "4h", ...numbers(5, 24)]);
  });

  test.each<[query: Omit<LogQuery, "limit">, found: number[]]>([
    [{ from: "code" }, [2, 4]],
    [{ from: "desktop" }, [1, 3, 5, 6]],
    [{ project: "api" }, [2, 3]],
    [{ project: "API" }, [2, 3]],
    [{ project: "ap" }, []],
    [{ since: 3 }, [3, 4, 5, 6]],
    [{ search: "plain" }, [1, 5]],
    [{ search: "50%" }, [2]],
    [{ search: "%" }, [2]],
    [{ search: "_" }, [3]],
    [{ search: "n_k" }, []],
    [{ search: "\\" }, [4]],
    [{ search: "\\b" }, [4]],
    [{ search: "it's" }, [6]],
    [{ search: '"' }, [6]],
    [{ search: "' OR 1 --" }, []],
    [{ search: "line\ntwo" }, [5]],
    [{ search: "plain", since: 2, from: "desktop" }, [5]],
    [{ search: "5", project: "api", from: "code" }, [2]],
  ])("of %j finds %j", async (query, found) => {
    await using t = new Fixture(make);
    const { time } = t;
    const sent = [
      { sender: "desktop", message: "Plain text" },
      { sender: "code", message: "50% done", project: "api" },
      { sender: "desktop", message: "snake_case", project: "Api" },
      { sender: "code", message: "C:\\back", project: "web" },
      { sender: "desktop", message: "PLAIN line\ntwo" },
      { sender: "desktop", message: `it's "quoted"` },
    ] as const;
    for (const message of sent) await t.append(message);
    for (const add of [0, 17]) {
      await t.send("desktop", ...numbers(1, add).map(() => "")); // then three of them are in the history
      const since = query.since === undefined ? {} : { since: time + query.since - 1 };
      const log = await t.two.log({ limit: 40, ...query, ...since });
      expect(log.filter(({ id }) => id <= sent.length).map(({ id }) => id)).toEqual(found);
    }
  });
}
