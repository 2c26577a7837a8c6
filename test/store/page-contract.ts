import { describe, expect, test } from "bun:test";
import { Fixture, type MakeBuffer, numbers, request, texts } from "./fixture.ts";

/** Registers the tests of pages and of what becomes of them. */
export function describePages(make: MakeBuffer): void {
  describe("a page", () => describeContent(make));
  describe("a page is no larger than asked for:", () => describeSizes(make));
  describe("a lease", () => describeLeases(make));
  describe("an acked page", () => describeAcks(make));
}

function describeContent(make: MakeBuffer): void {
  test("holds the oldest unread messages from the other client, and says how many remain", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1", "2");
    await t.send("code", "3");
    await t.send("desktop", "4");
    const { page, lease } = await t.lease({ limit: 2 });
    expect([texts(page.messages), page.remaining, page.inFlight]).toEqual([["1", "2"], 1, 0]);
    expect(lease).toEqual({
      id: expect.any(String),
      reader: "code",
      unread: [1, 2],
      dropped: [],
      origin: "command",
      project: null,
    });
    expect(texts((await t.lease()).page.messages)).toEqual(["4"]);
    expect(texts((await t.lease({ reader: "desktop" })).page.messages)).toEqual(["3"]);
  });

  test("says of each message who sent it, when, and who read it", async () => {
    await using t = new Fixture(make);
    const at = new Date(t.time).toISOString();
    await t.send("desktop", "text");
    await t.one.append({ sender: "desktop", message: "text", typed_in: "terminal", notify: "never" });
    const unread = { sender: "desktop", message: "text", read_by_desktop_at: null, read_by_code_at: null } as const;
    const alone = { project: null, reply_to: null, files: [], answered: null, redelivered: false };
    expect((await t.two.peek(request())).messages).toEqual([
      { id: 1, ...unread, timestamp: at, typed_in: null, ...alone },
      { id: 2, ...unread, timestamp: expect.any(String), typed_in: "terminal", ...alone },
    ]);
  });

  test("is filled with the latest messages read before, in time order, if it may be", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1", "2", "3");
    await t.read();
    await t.send("desktop", "4");
    const { page, lease } = await t.lease({ includeRead: true, limit: 3 });
    expect(texts(page.messages)).toEqual(["2", "3", "4"]);
    expect(page.messages.map(({ read_by_code_at: read }) => read !== null)).toEqual([true, true, false]);
    expect(lease.unread).toEqual([4]);
    await t.two.ack(lease);
    const again = await t.two.lease(request({ includeRead: true, limit: 2 }));
    expect([texts(again.page.messages), again.lease]).toEqual([["3", "4"], null]);
  });
}

function describeSizes(make: MakeBuffer): void {
  const long = (kilobytes: number) => "x".repeat(kilobytes * 1_024);
  const lengths = ({ messages }: { messages: { message: string }[] }) =>
    messages.map(({ message }) => message.length / 1_024);

  test.each([
    [
      [32, 32, 1],
      [32, 32],
    ],
    [[32, 33], [32]],
    [[64, 1], [64]],
  ])("for a tool, of %j KB %j fit 64 KB", async (sent, fitting) => {
    await using t = new Fixture(make);
    await t.send("desktop", ...sent.map(long));
    const page = await t.read();
    expect(lengths(page)).toEqual(fitting);
    expect([page.remaining, page.tooLong]).toEqual([sent.length - fitting.length, null]);
  });

  test("the bytes count, not the characters", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "é".repeat(20_000), "é".repeat(20_000));
    expect((await t.read()).messages).toHaveLength(1);
  });

  test("what was read before has only the room that is left, and none if unread messages need it", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", long(20), long(30), long(10));
    await t.read();
    await t.send("desktop", long(25));
    expect(lengths(await t.read({ includeRead: true }))).toEqual([10, 25]);
    await t.send("desktop", long(40), long(40), long(1));
    expect(lengths(await t.read({ includeRead: true }))).toEqual([40]);
  });

  test("for /get, what does not fit 28,000 characters waits for the next page", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "x".repeat(13_000), "y".repeat(13_000), "z".repeat(13_000));
    const page = await t.read({ size: "typed" });
    expect([page.messages.length, page.remaining, page.tooLong]).toEqual([2, 1, null]);
    expect((await t.read({ size: "typed" })).messages).toHaveLength(1);
  });

  test("for /get, a message that no page holds ends the page, and is named", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1", "x".repeat(28_000), "3");
    const page = await t.read({ size: "typed" });
    expect([texts(page.messages), page.remaining, page.tooLong]).toEqual([["1"], 2, 2]);
    const { page: empty, lease } = await t.two.lease(request({ size: "typed" }));
    expect([empty.messages, empty.remaining, empty.tooLong, lease]).toEqual([[], 2, 2, null]);
    expect((await t.read({ limit: 1 })).messages).toMatchObject([{ id: 2 }]);
  });
}

function describeLeases(make: MakeBuffer): void {
  test("gives its messages to nobody else, and the others hear that they are in flight", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1", "2", "3");
    await t.lease({ limit: 2 });
    const { messages, remaining, inFlight } = await t.one.peek(request({ limit: 1 }));
    expect([texts(messages), remaining, inFlight]).toEqual([["3"], 2, 2]);
    expect((await t.one.counts()).unread.code).toBe(3);
  });

  test.each([
    [false, ["1", "2"]],
    [true, ["1?", "2"]],
  ])("that is released (redelivered: %p) offers %j again at once", async (redelivered, offered) => {
    await using t = new Fixture(make);
    await t.send("desktop", "1", "2");
    const { lease } = await t.lease({ limit: 1 });
    await t.one.release(lease, redelivered);
    expect(await t.waiting()).toEqual(offered);
    await t.one.release((await t.lease()).lease, false);
    expect(await t.waiting()).toEqual(offered); // a label stays until the message is read
  });

  test.each([
    ["holds for 5 s", 4_999, []],
    ["expires after 5 s, and its messages may have been shown", 5_000, ["1?"]],
    ["is expired if it is from the future: the clock was set back", -1_000, ["1?"]],
  ])("%s", async (_name, later, offered) => {
    await using t = new Fixture(make);
    await t.send("desktop", "1");
    await t.lease();
    t.time += later;
    expect(await t.waiting()).toEqual(offered);
    expect(texts((await t.two.lease(request())).page.messages)).toEqual(offered);
  });

  test("that is renewed holds for another 5 s", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1");
    const { lease } = await t.lease();
    t.time += 6_000; // nobody else took it
    expect(await t.one.renew(lease)).toBe(true);
    t.time += 4_999;
    expect(await t.waiting()).toEqual([]);
    t.time += 1;
    expect(await t.waiting()).toEqual(["1?"]);
  });

  test("does not hold what went to another reader since", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1", "2");
    const { lease: late } = await t.lease();
    t.time += 5_000;
    const { page, lease } = await t.lease({ limit: 1 });
    expect(texts(page.messages)).toEqual(["1?"]);
    expect(await t.two.renew(late)).toBe(false);
    await t.two.release(late, false);
    expect(await t.waiting()).toEqual(["2"]);
    await t.two.ack(late);
    expect((await t.one.counts()).unread.code).toBe(2);
    await t.two.ack(lease);
    expect(texts(await t.one.lastPage("code", null))).toEqual(["1"]);
  });

  test("that was released cannot be acked any more, nor renewed", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1");
    const { lease } = await t.lease();
    await t.two.release(lease, false);
    await t.two.ack(lease);
    expect(await t.two.renew(lease)).toBe(false);
    expect(await t.waiting()).toEqual(["1"]);
  });

  test("is renewed although one of its messages had to make room", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1", "2");
    const { lease } = await t.lease();
    await t.send("desktop", ...numbers(3, 21));
    expect(await t.two.renew(lease)).toBe(true);
    await t.two.ack(lease);
    expect(texts(await t.one.lastPage("code", null))).toEqual(["1", "2"]);
  });
}

function describeAcks(make: MakeBuffer): void {
  test("is read, at the time of the ack", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1");
    const { lease } = await t.lease();
    t.time += 1_000;
    const at = new Date(t.time).toISOString();
    await t.one.ack(lease);
    expect(await t.one.lastPage("code", null)).toMatchObject([{ read_by_code_at: at, read_by_desktop_at: null }]);
    expect((await t.one.counts()).unread.code).toBe(0);
  });

  test("is told as its reader's last delivery, if anything on it was unread", async () => {
    await using t = new Fixture(make);
    const delivered = async () => (await t.one.counts()).delivered;
    await t.send("desktop", "1", "2", "3");
    await t.send("code", "4");
    await t.two.release((await t.lease()).lease, true);
    await t.read({ limit: 1 });
    const at = new Date(t.time).toISOString();
    await t.read({ origin: "approved tool", project: "a\nb" });
    const code = { count: 2, at, origin: "approved tool", project: "a\nb" } as const;
    expect(await delivered()).toEqual({ desktop: null, code });
    await t.read({ reader: "desktop", origin: "prompt" });
    await t.send("desktop", "5");
    await t.one.clear("command line");
    await t.read(); // of nothing but a dropped message
    expect(await delivered()).toMatchObject({ desktop: { count: 1, origin: "prompt" }, code });
  });

  test("is read although its lease expired, if nobody else was given it", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1");
    const { lease } = await t.lease();
    t.time += 60_000;
    await t.two.ack(lease);
    expect(await t.waiting()).toEqual([]);
  });

  test("is neither released nor acked again", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1");
    const { lease } = await t.lease();
    await t.two.ack(lease);
    const [before] = await t.one.lastPage("code", null);
    t.time += 1;
    await t.two.ack(lease);
    await t.two.release(lease, true);
    expect(await t.one.lastPage("code", null)).toEqual([before as NonNullable<typeof before>]);
  });

  test("that is undelivered is unread again, and labelled", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1", "2", "3");
    await t.read({ limit: 1 });
    const { lease } = await t.lease({ limit: 1 });
    await t.two.ack(lease);
    await t.one.undeliver(lease);
    expect(await t.waiting()).toEqual(["2?", "3"]);
    await t.one.undeliver(lease);
    expect(await t.read()).toMatchObject({ messages: [{ id: 2, redelivered: true }, { id: 3 }] });
    await t.one.undeliver(lease); // it was another reader's since
    expect(await t.waiting()).toEqual([]);
  });

  test("is all that can be undelivered", async () => {
    await using t = new Fixture(make);
    await t.send("desktop", "1");
    const { lease } = await t.lease();
    await t.two.undeliver(lease);
    await t.two.ack(lease);
    expect(await t.waiting()).toEqual([]);
  });
}
