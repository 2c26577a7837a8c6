import { describe, expect, test } from "bun:test";
import type { Page, PageRequest } from "../../src/core/leased-page.ts";
import { Fixture, type MakeBuffer, numbers, request, texts } from "./fixture.ts";

const day = 86_400_000;

/** Registers the tests of messages for a project, and of answers. */
export function describeProjects(make: MakeBuffer): void {
  describe("a page for a project", () => describePages(make));
  describe("a project", () => describeNames(make));
  describe("an answer", () => describeAnswers(make));
}

/** A message for each project, in this order; `-` is none. */
async function sendFor(t: Fixture, ...projects: string[]): Promise<void> {
  for (const project of projects)
    await t.append({ sender: "desktop", message: project, project: project === "-" ? null : project });
}

function describePages(make: MakeBuffer): void {
  const seen = ({ messages, remaining, others }: Page) => [texts(messages), remaining, others];
  const count = (project: string, count: number) => ({ project, count });

  test.each<[name: string, options: Partial<PageRequest>, expected: ReturnType<typeof seen>]>([
    ["brings what is for it and for none", { project: "a" }, [["a", "-", "A"], 0, [count("b", 2)]]],
    ["says how many remain, without those of others", { project: "a", limit: 1 }, [["a"], 2, [count("b", 2)]]],
    ["takes no other case for another project", { project: "B" }, [["b", "-", "b"], 0, [count("a", 2)]]],
    ["of which nothing waits brings the rest", { project: "c" }, [["-"], 0, [count("a", 2), count("b", 2)]]],
    [
      "brings every project's if it is asked to",
      { project: "a", everyProject: true },
      [["a", "b", "-", "A", "b"], 0, []],
    ],
    ["that nobody knows brings all", { project: null }, [["a", "b", "-", "A", "b"], 0, []]],
  ])("%s", async (_name, options, expected) => {
    await using t = new Fixture(make);
    await sendFor(t, "a", "b", "-", "A", "b");
    expect(seen(await t.one.peek(request(options)))).toEqual(expected);
    expect(seen(await t.read(options))).toEqual(expected);
  });

  test("does not look at the case of letters from A to Z, and at that of others", async () => {
    await using t = new Fixture(make);
    await sendFor(t, "Übung", "übung", "ÜBUNG");
    expect(seen(await t.one.peek(request({ project: "Übung" })))).toEqual([["Übung", "ÜBUNG"], 0, [count("übung", 1)]]);
  });

  test("does not keep anything from Desktop", async () => {
    await using t = new Fixture(make);
    for (const project of ["a", "b"]) await t.append({ sender: "code", message: project, project });
    const { messages, others } = await t.read({ reader: "desktop", project: "a" });
    expect([messages.map(({ project }) => project), others]).toEqual([["a", "b"], []]);
  });

  test("counts what is in flight of its own only", async () => {
    await using t = new Fixture(make);
    await sendFor(t, "a", "b", "-");
    await t.lease({ project: "b" }); // b and -
    const page = await t.one.peek(request({ project: "a" }));
    expect([texts(page.messages), page.remaining, page.inFlight, page.others]).toEqual([["a"], 1, 1, [count("b", 1)]]);
    expect((await t.one.peek(request())).inFlight).toBe(2);
  });

  test("is filled with its own messages read before, and is the last one of its own project", async () => {
    await using t = new Fixture(make);
    await sendFor(t, "a", "b", "-");
    await t.read({ limit: 2 }); // a and b
    t.time += 1;
    await t.read({ project: "b" }); // -
    expect(texts((await t.one.peek(request({ project: "A", includeRead: true }))).messages)).toEqual(["a", "-"]);
    await sendFor(t, "b");
    t.time += 1;
    await t.read({ project: "b" });
    const last = async (project: string | null) => texts(await t.one.lastPage("code", project));
    expect([await last("a"), await last("B"), await last(null)]).toEqual([["-"], ["b"], ["b"]]);
    await t.send("desktop", ...numbers(1, 24));
    expect([await last("a"), await last("B"), await last(null)]).toEqual([["-"], ["b"], ["b"]]);
  });

  test("that brought every project's messages is its last one, with all of them", async () => {
    await using t = new Fixture(make);
    await sendFor(t, "b", "a");
    await t.read({ limit: 1 });
    t.time += 1;
    await sendFor(t, "b");
    await t.read({ project: "c", everyProject: true });
    expect(texts(await t.one.lastPage("code", "c"))).toEqual(["a", "b"]);
    expect(await t.one.lastPage("code", "d")).toEqual([]);
  });

  test("names what was dropped of its own, also when the page before was undelivered", async () => {
    await using t = new Fixture(make);
    await sendFor(t, "a", "b", "-");
    await t.send("desktop", ...numbers(4, 23));
    const dropped = async (project: string | null) =>
      (await t.one.peek(request({ project }))).dropped.map(({ id }) => id);
    const all = async () => [await dropped("a"), await dropped("B"), await dropped("c"), await dropped(null)];
    expect(await all()).toEqual([[1, 3], [2, 3], [3], [1, 2, 3]]);
    const { lease } = await t.lease({ project: "A", limit: 1 });
    await t.two.ack(lease);
    expect(await all()).toEqual([[], [2], [], [2]]);
    await t.two.undeliver(lease);
    expect(await all()).toEqual([[1, 3], [2, 3], [3], [1, 2, 3]]);
    await t.one.clear("desktop");
    expect(await dropped("b")).toEqual([2, 3, ...numbers(4, 23).map(Number)]);
  });

  test.each([
    ["", ["a"]],
    ["all", ["a", "b"]],
  ])("of a ticket with the words %j holds %j", async (words, expected) => {
    await using t = new Fixture(make);
    await sendFor(t, "a", "b", "a");
    const session = { id: "s", process: 1, project: "A" };
    await t.one.issueTicket(session, { words, ids: [1, 2] });
    const redeemed = await t.two.redeemTicket({ ...session, project: null }, request({ origin: "typed" }));
    expect(texts(redeemed?.leased?.page.messages ?? [])).toEqual(expected);
    expect(redeemed?.leased?.lease?.project).toBe("A");
  });
}

function describeNames(make: MakeBuffer): void {
  test("is named on the receipt, and counted while it waits", async () => {
    await using t = new Fixture(make);
    expect(await t.append({ sender: "desktop", message: "1", project: "web" })).toMatchObject({ project: "web" });
    await sendFor(t, "api", "WEB", "-");
    await t.append({ sender: "code", message: "5", project: "web" });
    const { projects, unread } = await t.one.counts();
    expect(projects).toEqual([
      { project: "web", count: 2 },
      { project: "api", count: 1 },
    ]);
    expect(unread).toEqual({ desktop: 1, code: 4 });
    await t.read({ project: "web" });
    expect((await t.one.counts()).projects).toEqual([{ project: "api", count: 1 }]);
  });

  test("is seen for 30 days in a session's message, ticket or server", async () => {
    await using t = new Fixture(make);
    const ask = async (project: string | null) =>
      (await t.append({ sender: "desktop", message: "x", project })).seenProjects;
    expect([await ask("web"), await ask(null)]).toEqual([[], null]);
    await t.append({ sender: "code", message: "x", project: "api" });
    t.time += 1;
    await t.one.issueTicket({ id: "a", process: 1, project: "Web" }, { words: "", ids: [] });
    t.time += 1;
    t.running.add(7);
    await t.open({ server: 7, project: "docs" }).leaseNotifications();
    expect([await ask("web"), await ask("API"), await ask("docs")]).toEqual([null, null, null]);
    expect(await ask("other")).toEqual(["docs", "Web", "api"]);
    t.time += 30 * day - 4; // since docs
    expect(await ask("web")).toEqual(["docs"]);
    await t.append({ sender: "code", message: "x", project: "WEB" });
    expect(await ask("web")).toBeNull();
  });

  test("is told in a notification if all its messages have the same", async () => {
    await using t = new Fixture(make);
    const send = (project: string | null) =>
      t.one.append({ sender: "desktop", message: "x", project, notify: "later" });
    const told = async () => (await t.two.leaseNotifications()).map(({ count, project }) => [count, project]);
    await send("a");
    await send("a");
    expect(await told()).toEqual([[2, "a"]]);
    await send("a");
    await send(null);
    expect(await told()).toEqual([[2, null]]);
  });
}

function describeAnswers(make: MakeBuffer): void {
  test("is for the project of what it answers, in window or history, unless it names one", async () => {
    await using t = new Fixture(make);
    await t.append({ sender: "code", message: "question", project: "api" });
    const answer = async (project: string | null) =>
      (await t.append({ sender: "desktop", message: "answer", project, reply_to: 1 })).project;
    expect([await answer(null), await answer("web")]).toEqual(["api", "web"]);
    await t.send("desktop", ...numbers(4, 21));
    expect((await t.one.log({ limit: 30 }))[0]).toMatchObject({ id: 1, left: true });
    expect(await answer(null)).toBe("api");
  });

  test("shows the first 400 characters of what it answers, as long as window or history has that", async () => {
    await using t = new Fixture(make);
    const beginning = "é".repeat(400);
    await t.append({ sender: "code", message: `${beginning}${beginning}` });
    await t.append({ sender: "code", message: "2" });
    await t.append({ sender: "desktop", message: "3", reply_to: 1 });
    const [waiting] = (await t.one.peek(request())).messages;
    expect(waiting).toMatchObject({ reply_to: 1, answered: beginning });
    const shown = async () => (await t.one.find([3])).map(({ reply_to, answered }) => [reply_to, answered]);
    await t.send("code", ...numbers(4, 21));
    expect(await shown()).toEqual([[1, beginning]]);
    expect((await t.one.latest(20))[1]).toMatchObject({ id: 3, answered: beginning });
    await t.open({ historyDays: 0 }).append({ sender: "code", message: "22", notify: "never" });
    expect(await shown()).toEqual([[1, null]]);
  });

  test.each([
    ["that was never sent", 2],
    ["that was cleared", 1],
  ])("to a message %s is refused, and nothing is stored", async (_name, id) => {
    await using t = new Fixture(make);
    await t.send("desktop", "1");
    if (id === 1) await t.one.clear("code");
    const before = await t.two.counts();
    const answer = t.append({ sender: "desktop", message: "x", reply_to: id });
    await expect(answer).rejects.toMatchObject({ kind: "usage", message: expect.stringContaining(`message ${id}`) });
    expect(await t.two.counts()).toEqual(before);
    expect(await t.send("desktop", "2")).toEqual([2]);
  });
}
