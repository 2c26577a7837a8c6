// Many processes on one buffer, some of them killed: every message exactly once. design.md, promise 1.
import { describe, expect, test } from "bun:test";
import { openPatiently } from "./support/database.ts";
import { connect, textsOf } from "./support/peer.ts";
import { type Gotten, get, relayBinary, type Sandbox, sandbox, sendAll, until } from "./support/sandbox.ts";
import { startSession, toolCall } from "./support/server-process.ts";

function numbered(label: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${label} ${n}`);
}

function expectSound(box: Sandbox): void {
  using db = openPatiently(box.buffer);
  expect(db.query("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
}

describe("at the same instant", () => {
  test("eight servers fetch every message exactly once", async () => {
    await using box = sandbox();
    const servers = await Promise.all(Array.from({ length: 8 }, () => connect(box, { args: ["--client", "code"] })));
    const desktop = await connect(box, { args: ["--client", "desktop"] });
    for (const [round, limit] of [20, 3, 20, 1, 7, 20, 3, 3].entries()) {
      const texts = numbered(`round ${round}`, 20);
      for (const text of texts) await desktop.send(text);
      const pages: string[] = [];
      // a limit of 1 brings eight of them at a time
      for (let fetches = 0; fetches < Math.ceil(20 / (8 * limit)); fetches++)
        pages.push(...(await Promise.all(servers.map((server) => server.fetch({ limit })))));
      const shown = pages.flatMap(textsOf);
      expect([round, shown.sort()]).toEqual([round, [...texts].sort()]);
      for (const page of pages) {
        expect(page).not.toContain("may have been shown");
        const onThisPage = textsOf(page).map((text) => texts.indexOf(text));
        expect(onThisPage).toEqual([...onThisPage].sort((a, b) => a - b));
      }
      const settled = async () => (await servers[0]?.fetch()) === "relay: nothing new from Desktop.";
      await until("every page to be acknowledged", settled);
    }
    expectSound(box);
  });

  test("twenty commands get every message exactly once", async () => {
    await using box = sandbox();
    const texts = numbered("text", 20);
    await sendAll(box, "code", texts);
    const args = ["get", "--for", "code", "--json", "--limit", "1"];
    const pages = await Promise.all(Array.from({ length: 20 }, () => box.relay(args)));
    for (const page of pages) expect(page).toMatchObject({ status: 0, stderr: "" });
    const shown = pages.flatMap(({ stdout }): Gotten["messages"] => JSON.parse(stdout).messages);
    expect(shown.map(({ message }) => message).sort()).toEqual([...texts].sort());
    expect(shown.filter(({ maybe_shown }) => maybe_shown)).toEqual([]);
    expectSound(box);
  });

  test("twenty commands make a new buffer, and all their messages arrive in the order of the ids", async () => {
    await using box = sandbox();
    const texts = numbered("text", 20);
    const sent = await Promise.all(texts.map((text) => box.relay(["send", "--to", "code", "--json", text])));
    const receipts = sent.map(({ status, stdout }) => [status, JSON.parse(stdout).id] as const);
    expect(receipts.map(([status]) => status)).toEqual(texts.map(() => 0));
    const { messages } = await get(box, "code");
    expect(messages.map(({ id }) => id)).toEqual(numbered("", 20).map((_, n) => n + 1));
    for (const [n, [, id]] of receipts.entries())
      expect(messages.find((message) => message.id === id)?.message).toBe(texts[n] ?? "");
    expectSound(box);
  });
});

/** Reads all that waits for Code, and compares it with the sends that were acknowledged. */
function reader(box: Sandbox) {
  const arrived: { id: number; message: string }[] = [];
  const acknowledged: { id: number; message: string }[] = [];
  const dropped: number[] = [];
  const once = async (): Promise<Gotten> => {
    const page = await get(box, "code");
    arrived.push(...page.messages);
    dropped.push(...page.dropped);
    return page;
  };
  const all = async () => {
    for (let page = await once(); page.messages.length + page.remaining > 0; ) page = await once();
  };
  const expectAll = () => {
    const ids = [...arrived.map(({ id }) => id), ...dropped];
    expect(new Set(ids).size).toBe(ids.length);
    const lost = acknowledged.filter(
      (sent) =>
        !dropped.includes(sent.id) && !arrived.some(({ id, message }) => id === sent.id && message === sent.message),
    );
    expect(lost).toEqual([]);
    expectSound(box);
  };
  return { acknowledged, dropped, once, all, expectAll };
}

test("messages that one client sends at once are stored in their order", async () => {
  await using box = sandbox();
  const texts = numbered("text", 20);
  const rivals = Array.from({ length: 3 }, () => startSession(box, { args: ["--client", "code"] }));
  for (const rival of await Promise.all(rivals))
    for (let id = 1; id <= 20; id++) rival.send(toolCall(id, "relay_clear"));
  const server = await startSession(box, { args: ["--client", "desktop"] });
  for (const [n, message] of texts.entries()) server.send(toolCall(n + 1, "relay_send", { message }));
  await server.answer(texts.length);
  const receipts = texts.map((_, n) => server.lines.find(({ id }) => id === n + 1)?.result);
  const ids = receipts.map((receipt) => {
    const { content } = receipt as { content: { text: string }[] };
    return JSON.parse(content[0]?.text ?? "").id as number;
  });
  expect(ids).toEqual([...ids].sort((a, b) => a - b));
});

describe("kill -9", () => {
  const kills = 30;
  const atOnce = 10;

  test(`of ${kills} sending commands: every acknowledged message is there, once`, async () => {
    await using box = sandbox();
    const { acknowledged, dropped, once, all, expectAll } = reader(box);
    const start = (message: string) =>
      Bun.spawn([relayBinary, "send", "--to", "code", "--json", message], {
        env: box.env,
        cwd: box.home,
        stdio: ["ignore", "pipe", "ignore"],
      });
    const finish = async (child: ReturnType<typeof start>, message: string) => {
      const printed = await new Response(child.stdout).text();
      await child.exited;
      if (printed.endsWith("\n")) acknowledged.push({ id: JSON.parse(printed).id, message });
    };

    const before = performance.now();
    await Promise.all(numbered("warm", atOnce).map((message) => finish(start(message), message)));
    const normal = performance.now() - before;
    let killed = 0;
    const killOne = async (message: string, n: number) => {
      const child = start(message);
      const finished = finish(child, message);
      // a killed one may leave a journal, for which the others wait a quarter of a second
      await Bun.sleep(Math.random() * (normal + (n % 2) * 1_000));
      child.kill("SIGKILL");
      await finished;
      if (child.signalCode !== null) killed++;
    };
    for (let batch = 0; batch < kills / atOnce; batch++) {
      await Promise.all([once(), ...numbered(`batch ${batch}`, atOnce).map(killOne)]);
      await all();
    }
    expect([acknowledged.length > atOnce, killed > 0, dropped]).toEqual([true, true, []]);
    expectAll();
  });

  test(`of ${kills} sending servers: every acknowledged message is there, once, or named as dropped`, async () => {
    await using box = sandbox();
    const { acknowledged, once, all, expectAll } = reader(box);
    const sends = 12;
    let unanswered = 0;
    const killOne = async (label: string) => {
      const server = await startSession(box, { args: ["--client", "desktop"] });
      const texts = numbered(label, sends).map((text) => `${text} ${"x".repeat(2_000)}`);
      for (const [n, message] of texts.entries()) server.send(toolCall(n + 1, "relay_send", { message }));
      const wanted = Math.floor(Math.random() * sends);
      await until("some answers", () => server.lines.length > wanted);
      await Bun.sleep(Math.random() * 10);
      server.child.kill("SIGKILL");
      await server.drained;
      for (const [n, message] of texts.entries()) {
        const answer = server.lines.find((line) => line.id === n + 1);
        const { content, isError } = (answer?.result ?? {}) as {
          content?: { text: string }[];
          isError?: true;
        };
        // on a machine that is busy enough a server may wait for the lock in vain
        if (isError) expect(content?.[0]?.text).toContain("is locked by another program");
        if (!answer || isError) unanswered++;
        else acknowledged.push({ id: JSON.parse(content?.[0]?.text ?? "").id, message });
      }
    };
    for (let batch = 0; batch < kills / atOnce; batch++)
      await Promise.all([once(), ...numbered(`batch ${batch}`, atOnce).map(killOne)]);
    await all();
    expect([acknowledged.length > sends, unanswered > 0]).toEqual([true, true]);
    expectAll();
  });
});
