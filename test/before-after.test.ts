// The defects of the original, mcp-server-relay 1.2.4 from Python's registry, and both servers on one file: README, "Before
// and after". That relay has none of these defects is what the other tests say.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { originalStatements } from "./support/original-statements.ts";
import { connect, textsOf } from "./support/peer.ts";
import { connectOriginal, hasOriginal, type Original, runInOriginal } from "./support/python-server.ts";
import { sandbox, until } from "./support/sandbox.ts";

describe.skipIf(!hasOriginal)("the original", () => {
  const box = sandbox();
  let server: Original;
  beforeAll(async () => {
    server = await connectOriginal(box, "desktop");
  });
  afterAll(() => box[Symbol.asyncDispose]());

  const send = async (count: number) => {
    for (let n = 1; n <= count; n++) expect(await server.send("desktop", `${n}`)).toEqual({ ok: true });
  };
  const fetch = async (limit: number) => {
    const page = await server.fetch({ limit, reader: "code" });
    return page.map(({ message }) => message).join(" ");
  };

  test("evicts unread messages silently", async () => {
    await send(21);
    expect(await fetch(20)).toBe("2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21");
  });

  test("gives the newest first, so that replies come before questions", async () => {
    await send(7);
    expect([await fetch(5), await fetch(5)]).toEqual(["3 4 5 6 7", "1 2"]);
  });

  test("marks the reader's own messages, too", async () => {
    await send(1);
    const own = () => server.fetch({ limit: 20, reader: "desktop" });
    expect((await own()).at(-1)).toMatchObject({ sender: "desktop", message: "1" });
    expect(await own()).toEqual([]);
  });

  test("has a file that all users can read", () => {
    expect(statSync(box.buffer).mode & 0o777).toBe(0o644 & ~process.umask());
  });

  test("gives two readers at once the same message", async () => {
    const rival = await connectOriginal(box, "code");
    let isDoubled = false;
    // 16 rounds of 60 where this was first seen (facts.md)
    for (let round = 0; round < 600 && !isDoubled; round++) {
      await send(1);
      const pages = await Promise.all([server, rival].map((each) => each.fetch({ reader: "code" })));
      isDoubled = pages.every((page) => page.length > 0);
    }
    expect(isDoubled).toBe(true);
  });

  test("makes the text of a message part of a PowerShell script", async () => {
    const hostile = '"); calc.exe; $(whoami) #';
    const argv = await runInOriginal<string[]>(
      box,
      "relay_server.platform.system = lambda: 'Windows'",
      "relay_server.subprocess.run = lambda argv, **_: print(json.dumps(argv))",
      `relay_server._send_notification("title", ${JSON.stringify(hostile)})`,
    );
    expect(argv[2]).toContain(`CreateTextNode("${hostile}")`);
  });

  test("ends a thread when it is idle, and not the server", async () => {
    const alive = await runInOriginal(
      box,
      "relay_server.IDLE_TIMEOUT, relay_server.NOTIFY_POLL_INTERVAL = -1, 0.01",
      "relay_server._start_notification_thread()",
      "while threading.active_count() > 1: time.sleep(0.01)",
      "print(json.dumps(threading.current_thread().name))",
    );
    expect(alive).toBe("MainThread");
  });

  test("announces at each start what waits", async () => {
    await using own = sandbox();
    const record = join(own.home, "toasts");
    const script = `#!/bin/sh\nfor last; do :; done; printf '%s\\n' "$last" >>"${record}"\n`;
    writeFileSync(join(own.programs, "notify-send"), script, { mode: 0o755 });
    const toasts = () => (existsSync(record) ? readFileSync(record, "utf8") : "");
    const writer = await connectOriginal(own, "desktop");
    await writer.send("desktop", "hello");
    for (const shown of ["hello\n", "hello\nhello\n"]) {
      const reader = await connectOriginal(own, "code");
      await until("a notification", () => toasts() === shown, 30_000);
      await reader.close();
    }
  });

  test("writes over a person's own /get, and orders the model to execute what comes", async () => {
    const own = join(box.home, ".claude/commands/get.md");
    mkdirSync(dirname(own), { recursive: true });
    writeFileSync(own, "my own command");
    const setup = ["sys.stdout = sys.stderr", "relay_server._setup_code()", "sys.__stdout__.write('0')"];
    await runInOriginal(box, ...setup);
    expect(readFileSync(own, "utf8")).toContain("Execute those instructions");
  });
});

/** The statements that lines of Python have SQLite run, with one word for every time, and without their layout. */
async function statementsOf(...lines: string[]): Promise<string[]> {
  await using box = sandbox();
  const ran = await runInOriginal<string[]>(box, "seen = []", ...lines, "print(json.dumps(seen))");
  return ran.map((statement) =>
    statement
      .replaceAll(/'\d{4}-\d\d-\d\dT[^']+'/g, "now")
      .replaceAll(/\s+/g, " ")
      .replaceAll(/(?<=\() | (?=\))/g, "")
      .trim(),
  );
}

describe.skipIf(!hasOriginal)("the original's server on the same file", () => {
  test("is no different from the statements that other tests run for it", async () => {
    const steps: [its: string, ours: string][] = [
      ["_init_db()", "init(db)"],
      ['relay_send("one", "desktop")', 'send(db, "desktop", "one")'],
      ['relay_send("two", "code")', 'send(db, "code", "two")'],
      ['relay_send("three", "desktop")', 'send(db, "desktop", "three")'],
      ['relay_fetch(2, "desktop")', 'fetch(db, "desktop", 2)'],
      ['relay_fetch(5, "desktop")', 'fetch(db, "desktop", 5)'],
      ['relay_fetch(5, "desktop")', 'fetch(db, "desktop", 5)'],
      ['relay_fetch(5, "code")', 'fetch(db, "code", 5)'],
      ["relay_clear()", "clear(db)"],
    ];
    const traced = [
      "connect = relay_server._get_connection",
      "def traced():\n    db = connect()\n    db.set_trace_callback(seen.append)\n    return db",
      "relay_server._get_connection = traced",
    ];
    const its = await statementsOf(...traced, ...steps.map(([call]) => `relay_server.${call}`));
    const ours = steps.map(([, call]) => `with traced() as db: ${call}`);
    expect(await statementsOf(...traced, originalStatements, ...ours)).toEqual(its);
    expect(its.filter((statement) => statement === "COMMIT")).toHaveLength(7);
  });

  test("and relay's bring messages both ways", async () => {
    await using box = sandbox();
    const original = await connectOriginal(box, "desktop");
    const code = await connect(box, { args: ["--client", "code"] });
    for (const text of ["one", "two", "three"]) {
      await original.send("desktop", text);
      expect(textsOf(await code.fetch())).toEqual([text]);
      await code.send(`re: ${text}`);
      expect((await original.fetch({ reader: "desktop", limit: 20 })).at(-1)?.message).toBe(`re: ${text}`);
    }
    expect(statSync(box.buffer).mode & 0o777).toBe(0o600);
  });
});
