// What was sent, read or not, in the window and in the history: `relay log`, `relay show`, `relay resend`.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { openPatiently } from "./support/database.ts";
import { get, onTerminal, type Sandbox, sandbox, sendAll } from "./support/sandbox.ts";

const tokyo = { TZ: "Asia/Tokyo" };

/** Puts messages into the buffer, sent and read at these times. Of each only the first three words are needed. */
async function fill(box: Sandbox): Promise<void> {
  const relay = (...args: string[]) => box.relay(args);
  await relay("send", "--to", "code", "Plan:\nread it once");
  await relay("send", "--to", "desktop", "--project", "api-server", "--reply-to", "1", "Built");
  await relay("send", "--to", "code", "--project", "web", "100% 👩‍💻 \u202eevil");
  await sendAll(box, "code", Array(18).fill(`\n\n  ${"many words ".repeat(12)}`));
  using db = openPatiently(box.buffer);
  const times = [
    [1, "2026-11-22T15:04:00.000Z", null],
    [2, "2026-11-22T15:05:00.000Z", "2026-11-22T15:06:00.000Z"],
    [3, "2026-11-23T07:12:04+00:00", "2026-11-24T00:00:00.000Z"],
  ] as const;
  for (const [id, sent, read] of times)
    for (const table of ["messages", "relay_history"])
      db.query(
        `UPDATE ${table} SET timestamp = ?2,
           read_by_desktop_at = iif(sender = 'code', ?3, NULL), read_by_code_at = iif(sender = 'desktop', ?3, NULL)
         WHERE id = ?1`,
      ).run(id, sent, read);
  db.run("UPDATE messages SET timestamp = '2026-11-23T23:59:00.000Z' WHERE id > 3");
  db.run("UPDATE messages SET typed_in = 'terminal' WHERE id = 3");
}

/** The ids that `relay log` shows. */
async function logged(box: Sandbox, ...args: string[]): Promise<number[]> {
  const { status, stdout, stderr } = await box.relay(["log", "--json", ...args], { env: tokyo });
  expect([status, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout).messages.map(({ id }: { id: number }) => id);
}

describe("relay log", () => {
  test("lists both directions below their local days, the newest last, with the time of reading", async () => {
    await using box = sandbox();
    await fill(box);
    const { stdout } = await box.relay(["log", "-n", "22"], { env: tokyo });
    const lines = stdout.split("\n");
    expect(lines.slice(0, 8)).toEqual([
      "Monday, 23 November 2026",
      " 1  00:04  Desktop      ✗ unread         Plan:",
      " 2  00:05  Code         ✓ 00:06            ↳ 1 [api-server] Built",
      " 3  16:12  you to Code  ✓ 24 Nov, 09:00  [web] 100% 👩‍💻 \\u202eevil",
      "",
      "Tuesday, 24 November 2026",
      ` 4  08:59  Desktop      · waits          ${"many words ".repeat(12).trim()}`,
      ` 5  08:59  Desktop      · waits          ${"many words ".repeat(12).trim()}`,
    ]);
    expect(lines).toHaveLength(6 + 18 + 1);
  });

  test("marks nothing", async () => {
    await using box = sandbox();
    await sendAll(box, "code", ["one"]);
    for (const args of [["log"], ["log", "--json"], ["show", "1"], ["show", "1", "--json"]]) await box.relay(args);
    expect((await get(box, "code")).messages).toMatchObject([{ id: 1, maybe_shown: false }]);
  });

  test("shows what a filter leaves, the newest messages", async () => {
    await using box = sandbox();
    await fill(box);
    const all = Array.from({ length: 21 }, (_, n) => n + 1);
    const cases: [args: string, ids: number[]][] = [
      ["", all.slice(1)],
      ["-n1", [21]],
      ["--limit 2000", all],
      ["--from code", [2]],
      ["--from Desktop -n 21", all.filter((id) => id !== 2)],
      ["--project WEB", [3]],
      ["--search once", [1]],
      ["--search BUILT", [2]],
      ["--search 0%", [3]],
      ["--search _lan", []],
      ["--since 2026-11-23 -n 21", all],
      ["--since 2026-11-24 -n 21", all.slice(3)],
      ["--since 1m", []],
      ["--since 5000W --search many --from desktop -n 2", [20, 21]],
    ];
    for (const [args, ids] of cases)
      expect([args, await logged(box, ...args.split(" ").filter(Boolean))]).toEqual([args, ids]);
  });

  test("says in one sentence that there is nothing", async () => {
    await using box = sandbox();
    expect(await box.relay(["log"])).toEqual({ status: 0, stdout: "", stderr: "relay: there is no message.\n" });
    await sendAll(box, "code", ["one"]);
    const nothing = { status: 0, stdout: "", stderr: "relay: no message matches.\n" };
    expect(await box.relay(["log", "--search", "two"])).toEqual(nothing);
    expect(await logged(box, "--search", "two")).toEqual([]);
  });

  test("--json has every documented field, and texts byte for byte", async () => {
    await using box = sandbox();
    const text = 'a\u0000\u001b[31m\u202e"\\\r\n\u009b 👩‍💻\n';
    await sendAll(box, "code", [text, ...Array(20).fill("x")]);
    const { stdout } = await box.relay(["log", "--json", "--limit", "21"]);
    expect(stdout.trimEnd()).not.toMatch(/\p{Cc}|\p{Bidi_Control}/u);
    const [first, second] = JSON.parse(stdout).messages;
    const fields = { sender: "desktop", read_by_desktop_at: null, read_by_code_at: null, typed_in: null };
    const unread = { ...fields, timestamp: expect.any(String), project: null, reply_to: null, files: [] };
    expect(first).toEqual({ ...unread, id: 1, message: text, left: true });
    expect(second).toEqual({ ...unread, id: 2, message: "x", left: false });
    expect((await box.relay(["show", "1"])).stdout).toBe(text);
    const { left: _, ...shown } = first;
    expect(JSON.parse((await box.relay(["show", "1", "--json"])).stdout)).toEqual(shown);
  });
});

describe.skipIf(!Bun.which("script"))("on a terminal", () => {
  test.each([80, 120])("the log fits %i columns, and says how to see more", async (columns) => {
    await using box = sandbox();
    await fill(box);
    await box.relay(["send", "--to", "code", "--project", "p".repeat(40), "long project"]);
    const shown = await onTerminal(box, "log", { NO_COLOR: "1", COLUMNS: `${columns}`, LINES: "50" });
    const lines = shown.trimEnd().split("\n");
    expect(Math.max(...lines.map((line) => Bun.stringWidth(line)))).toBe(columns);
    expect(shown).toMatch(/\n\n.*\n22 .* \[p+…\] long project\n/);
    expect(lines.at(-1)).toBe("A whole message: relay show 22 · Older ones: -n 40");
    const colored = await onTerminal(box, "log -n 100", { COLUMNS: `${columns}`, LINES: "50" });
    expect(colored).toContain("\u001b[1mMonday, 23 November 2026\u001b[22m\n");
    expect(colored).toContain("\u001b[31m✗ unread\u001b[39m");
    expect(colored).toEndWith("\u001b[2mA whole message: relay show 22\u001b[22m\n");
  });

  test("show renders a message, and names the one that it answers", async () => {
    await using box = sandbox();
    await fill(box);
    const shown = await onTerminal(box, "show 2", { NO_COLOR: "1", COLUMNS: "100" });
    const head =
      "Message 2 from Code · 23 Nov 2026, 00:05 · from api-server · answers 1: Plan: read it once · read before";
    expect(shown).toBe(`${head.replace(/ before$/, "\nbefore")}\n│ Built\n`);
  });
});

test.each(["show", "resend"])("relay %s names an id that is nowhere", async (verb) => {
  await using box = sandbox();
  await sendAll(box, "code", ["one"]);
  const stderr = "relay: there is no message 41, here or in the history. See: relay log\n";
  expect(await box.relay([verb, "41"])).toEqual({ status: 1, stdout: "", stderr });
});

test("relay resend sends a message of the history as a new one, from the same side", async () => {
  await using box = sandbox();
  await fill(box);
  expect((await box.relay(["resend", "2"])).stdout).toStartWith(
    "relay: sent to Desktop as message 22; 1 waits there.\n",
  );
  const receipt = JSON.parse((await box.relay(["resend", "#3", "--json"])).stdout);
  expect(receipt).toMatchObject({ ok: true, id: 23, unread: 19, evicted: [3], project: "web" });
  const { stdout } = await box.relay(["log", "--json", "-n", "2"]);
  expect(JSON.parse(stdout).messages).toMatchObject([
    { id: 22, sender: "code", message: "Built", typed_in: null, project: "api-server", reply_to: 1, left: false },
    {
      id: 23,
      sender: "desktop",
      message: "100% 👩‍💻 \u202eevil",
      typed_in: "terminal",
      project: "web",
      reply_to: null,
    },
  ]);
});

test("relay resend sends its files, too, and nothing if one is gone", async () => {
  await using box = sandbox();
  await Bun.write(join(box.home, "a.txt"), "text");
  await box.relay(["send", "--to", "code", "--file", "a.txt"]);
  const receipt = JSON.parse((await box.relay(["resend", "1", "--json"])).stdout);
  expect(receipt.files).toEqual([{ name: "a.txt", type: "text/plain", size: 4 }]);
  using db = openPatiently(box.buffer);
  db.run("UPDATE relay_files SET content = NULL WHERE message_id = 2");
  const refused = await box.relay(["resend", "2"]);
  expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining("the content of a.txt made room") });
});

test("an answer to a message that is gone is sent again without it", async () => {
  await using box = sandbox();
  await fill(box);
  using db = openPatiently(box.buffer);
  db.run("DELETE FROM relay_history WHERE id = 1");
  expect((await box.relay(["resend", "2"])).status).toBe(0);
  expect((await box.relay(["log", "--json", "-n", "1"])).stdout).toContain('"reply_to":null');
});
