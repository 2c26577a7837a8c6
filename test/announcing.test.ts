// Promise 3, every message is announced once, at once: real servers, a real D-Bus session, the real notify-send.
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { getDefaultEnvironment } from "@modelcontextprotocol/sdk/client/stdio.js";
import { openPatiently } from "./support/database.ts";
import { canNotify, type DesktopSession, desktopSession } from "./support/desktop-session.ts";
import { notifiersFrom } from "./support/notifiers.ts";
import { connect, type PeerOptions } from "./support/peer.ts";
import { relayBinary, type Sandbox, sandbox, until } from "./support/sandbox.ts";
import { startSession, toolCall } from "./support/server-process.ts";
import { openTypedSession } from "./support/typing.ts";

const desktop: PeerOptions = { name: "claude-ai", version: "0.1.0" };
const code: PeerOptions = { name: "claude-code", version: "2.1.330", env: { CLAUDECODE: "1" } };

/** A sandbox with a desktop session in it. */
interface Desktop extends Sandbox {
  session: DesktopSession;
}

async function openDesktop(): Promise<Desktop> {
  const box = sandbox();
  return Object.assign(box, { session: await desktopSession(box) });
}

function bodies({ session }: Desktop): string[] {
  return session.shown().map(({ body }) => body);
}

/** Waits until so many notifications were shown. */
async function announced({ session }: Desktop, count = 1): Promise<void> {
  await until(`${count} notifications`, () => session.shown().length >= count);
}

/** Starts a server that finds the session's bus, and the sandbox's notify-send if it was replaced. */
function start(box: Desktop, options: PeerOptions, through = notifiersFrom(box.programs)) {
  const [command, ...args] = [...through, relayBinary];
  const env = { ...options.env, ...box.session.env };
  return connect(box, { ...options, command, args: [...args, ...(options.args ?? [])], env });
}

function send(box: Desktop, to: "desktop" | "code", text: string, env = {}) {
  return relay(box, ["send", "--to", to, "--json", "--", text], env);
}

function relay(box: Desktop, args: string[], env = {}) {
  const argv = [...notifiersFrom(box.programs), relayBinary, ...args];
  return box.run(argv, { env: { RELAY_NOTIFY: "auto", ...box.session.env, ...env } });
}

/** Makes all that the file says of announcements so much older. */
function age(box: Sandbox, milliseconds: number): void {
  using db = openPatiently(box.buffer);
  db.run(`UPDATE messages SET notification_leased_at = notification_leased_at - ${milliseconds}`);
  db.run(`UPDATE relay_clients SET notification_leased_at = notification_leased_at - ${milliseconds}`);
}

/** Waits until no message is being announced. */
async function idle(box: Sandbox): Promise<void> {
  using db = openPatiently(box.buffer);
  const leases = db.query("SELECT id FROM messages WHERE notification_leased_at IS NOT NULL");
  await until("no lease", () => leases.all().length === 0, 40_000);
}

/** Waits until a server looks every two seconds. */
async function watched(box: Sandbox): Promise<void> {
  await until("a server that looks", () => {
    using db = openPatiently(box.buffer, { readonly: true });
    const isKnown = db.query("SELECT 1 FROM sqlite_master WHERE name = 'relay_servers'").get() !== null;
    return isKnown && db.query("SELECT process FROM relay_servers").all().length > 0;
  });
}

const insert = "INSERT INTO messages (sender, message, timestamp) VALUES ('desktop', ?, '2026-11-23T07:12:04')";

/** Everything announced up to a running server's next look, whose one message the test stores as the original does. */
async function afterLook(box: Desktop, text = "marker"): Promise<string[]> {
  using db = openPatiently(box.buffer);
  db.run("UPDATE relay_clients SET notification_leased_at = NULL"); // no cooldown holds it back
  db.run(insert, [text]);
  await until("a server's look", () => bodies(box).some((body) => body.includes(text)));
  return bodies(box);
}

/** Puts a script in the place of the sandbox's notify-send. */
function replaceNotifySend(box: Sandbox, script: string): void {
  writeFileSync(join(box.programs, "notify-send"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/** A command that would take a minute, and is found among the processes of a machine. */
function uniqueSleep(): string {
  return `sleep 62.${Math.random().toString().slice(2)}`;
}

function runningWith(text: string): string[] {
  const listed = Bun.spawnSync(["ps", "-eo", "pid=,args="]).stdout.toString();
  return listed.split("\n").filter((line) => line.includes(text));
}

describe.skipIf(!canNotify).concurrent("on a Linux desktop", () => {
  test("the system's own notify-send comes before one in PATH, which a project's settings may set", async () => {
    await using box = await openDesktop();
    replaceNotifySend(box, `touch '${box.home}/stolen'`);
    const server = await start(box, desktop, []);
    await server.send("hello");
    await announced(box);
    expect(existsSync(join(box.home, "stolen"))).toBe(false);
  });

  test("each message is announced once, with five servers running and others that start", async () => {
    await using box = await openDesktop();
    const servers = await Promise.all([desktop, desktop, code, code, code].map((peer) => start(box, peer)));
    await servers[0]?.send("to Code");
    await servers[2]?.send("to Desktop");
    await until("both announcements", () => box.session.shown().length >= 2);
    for (const server of servers) await server.close();
    await Promise.all([desktop, code].map((peer) => start(box, peer)));
    expect(await afterLook(box)).toHaveLength(3);
    expect(box.session.shown().sort((a, b) => a.body.localeCompare(b.body))).toMatchObject([
      { app: "relay", summary: "For Code, from Desktop", body: "marker" },
      { app: "relay", summary: "For Code, from Desktop", body: "to Code" },
      { app: "relay", summary: "For Desktop, from Code", body: "to Desktop" },
    ]);
  });

  test("a message is announced at once by the process that stores it, also where its reader has no server", async () => {
    await using box = await openDesktop();
    const texts: string[] = [];
    const announce = async (text: string, store: (text: string) => Promise<unknown>) => {
      texts.push(text);
      await store(text);
      await announced(box, texts.length);
      await idle(box);
      age(box, 60_000); // so that the next message is not part of one "N more"
    };
    await announce("by a command", (text) => send(box, "code", text));
    await announce("by a command", () => relay(box, ["resend", "1"]));
    const server = await start(box, desktop);
    const before = performance.now();
    // a look every 2 s would find each but the first 2 s after the one before
    for (let n = 1; n <= 4; n++) await announce(`by a server, ${n}`, server.send);
    expect(performance.now() - before).toBeLessThan(4_000); // ten times what is normal
    expect(bodies(box)).toEqual(texts);
  });

  test("messages that follow within two seconds are announced together, from any process", async () => {
    await using box = await openDesktop();
    const [one, two] = await Promise.all([start(box, desktop), start(box, desktop)]);
    await one.send("first");
    await Promise.all([one.send("second"), one.send("third"), two.send("fourth")]);
    const sent = await send(box, "code", "fifth");
    expect(sent).toMatchObject({ status: 0, stderr: "" });
    await announced(box, 2);
    const [first, second, ...rest] = await afterLook(box);
    expect([first, second]).toEqual(["first", expect.stringMatching(/^4 more: (second|third|fourth)$/)]);
    expect(rest).toEqual(["marker"]);
  });

  test("twenty commands at once announce twenty messages", async () => {
    await using box = await openDesktop();
    const sent = await Promise.all(Array.from({ length: 20 }, (_, n) => send(box, "code", `text ${n}`)));
    expect(sent.map(({ status, stderr }) => [status, stderr])).toEqual(sent.map(() => [0, ""]));
    expect(bodies(box).sort()).toEqual(sent.map((_, n) => `text ${n}`).sort());
  });

  test.each([
    ["that was killed", () => Bun.spawnSync(["true"]).pid, 0],
    ["whose process number another program has now", () => process.pid, 700_000],
  ])("a server %s delays no announcement", async (_name, number, age) => {
    await using box = await openDesktop();
    await send(box, "code", "first");
    using db = openPatiently(box.buffer);
    db.run("INSERT INTO relay_servers (process, seen_at) VALUES (?, ?)", [number(), Date.now() - age]);
    await send(box, "code", "second");
    expect(bodies(box)).toEqual(["first", "second"]);
  });

  test("the text of a message is data, and short", async () => {
    const texts: [text: string, body: string][] = [
      ["<b>bold</b> &amp; <img src=x>", "&lt;b&gt;bold&lt;/b&gt; &amp;amp; &lt;img src=x&gt;"],
      ["--help", "--help"],
      ["-u critical", "-u critical"],
      ['"; rm -rf ~; $(calc) `calc` %PATH% \\', '"; rm -rf ~; $(calc) calc %PATH% \\'],
      ["one\n\n\ttwo\r\nthree", "one two three"],
      ["\u001b[31mred\u001b[0m \u0007\u202eevil\u{e0041}", "red evil"],
      ["\u0000\u0001", "(nothing that can be shown)"],
      ["x".repeat(65_536), `${"x".repeat(119)}…`],
      ["😀".repeat(500), `${"😀".repeat(119)}…`],
    ];
    await using box = await openDesktop();
    const env = { RELAY_NOTIFY: "auto", ...box.session.env };
    for (const [text] of texts) await box.relay(["send", "--to", "code"], { stdin: text, env });
    expect(bodies(box)).toEqual(texts.map(([, body]) => body));
  });

  const preferences: [how: string, args: string[], env: Record<string, string>, sound: string | null | undefined][] = [
    ["with a sound by default", [], {}, "message-new-instant"],
    ["with the sound that is named", ["--sound", "bell"], {}, "bell"],
    ["without a sound for --sound off", ["--sound", "off"], {}, undefined],
    ["not at all for RELAY_NOTIFY=off", [], { RELAY_NOTIFY: "off" }, null],
    ["with a sound for --sound before a flag", ["--sound", "--debug"], {}, "message-new-instant"],
  ];
  test("two kinds of servers from Desktop's entry announce each message once, with the reader's own sound", async () => {
    await using box = await openDesktop();
    const terminal = await start(box, { ...code, args: ["--sound", "glass"] });
    const args = ["--client", "desktop", "--sound", "bell"];
    const kinds = [desktop, { ...desktop, name: "local-agent-mode-relay" }];
    const [chat, tab] = await Promise.all(kinds.map((kind) => start(box, { ...kind, args })));
    await chat?.send("for Code");
    await tab?.send("for Desktop");
    await announced(box, 2);
    const hints = box.session.shown().map(({ body, hints }) => [body, hints["sound-name"]]);
    // two readers, two notifiers: either may be the quicker
    expect(hints.toSorted()).toEqual([
      ["for Code", "glass"],
      ["for Desktop", "bell"],
    ]);
    const text = expect.stringMatching(/Desktop's Code tab may not ask .* types \/get in Claude Code\.$/);
    expect(await tab?.call("relay_fetch")).toEqual({ isError: true, text: text as never });
    expect(await chat?.fetch()).toContain("for Desktop");
    expect(await terminal.fetch()).toContain("for Code");
    expect(await chat?.fetch()).toContain("nothing new");
  });

  test.each(preferences)("a reader is notified %s, also once its server ended", async (_name, args, env, sound) => {
    await using box = await openDesktop();
    const [sender, reader] = await Promise.all([
      start(box, { ...desktop, args: ["--sound", "off"], env: { RELAY_NOTIFY: "off" } }),
      start(box, { ...code, args, env: { ...code.env, ...env } }),
    ]);
    await sender.send("by a server");
    if (sound !== null) await announced(box);
    await reader.close(); // its preference outlives it
    await idle(box);
    age(box, 60_000);
    await send(box, "code", "by a command");
    await send(box, "desktop", "for a reader with RELAY_NOTIFY=off");
    const hints = box.session.shown().map((shown) => shown.hints["sound-name"]);
    expect(hints).toEqual(sound === null ? [] : [sound, sound]);
    using db = openPatiently(box.buffer);
    expect(db.query("SELECT id FROM messages WHERE notified_at IS NULL").all()).toEqual([]);
  });

  test("a command with RELAY_NOTIFY=off announces nothing, and no server announces its message", async () => {
    await using box = await openDesktop();
    await start(box, code);
    await send(box, "code", "quiet", { RELAY_NOTIFY: "off" });
    expect(await afterLook(box)).toEqual(["marker"]);
  });

  test("a daemon that hangs delays no receipt, and what it did not show another server shows later", async () => {
    await using box = await openDesktop();
    await box.session.behave("hang");
    const server = await start(box, desktop);
    const before = performance.now();
    await server.send("one");
    await server.send("two");
    expect(performance.now() - before).toBeLessThan(2_000);
    const command = send(box, "code", "three");
    expect((await command).status).toBe(0); // it waited until its notifier was given up
    await idle(box);
    await box.session.behave("answer");
    await start(box, code);
    await announced(box);
    expect(await afterLook(box)).toEqual(["3 messages: one", "marker"]);
  });

  test("a typed /send is announced as the person's, and a hanging notifier holds the prompt up for a second", async () => {
    await using box = await openDesktop();
    const session = openTypedSession(box);
    const env = { RELAY_NOTIFY: "auto", ...box.session.env };
    const send = (words: string) => session.hook(session.event(words, { command_name: "send" }), env);
    await send("hello");
    expect(box.session.shown()).toMatchObject([{ summary: "For Desktop, from you, in Claude Code", body: "hello" }]);
    await box.session.behave("hang");
    age(box, 60_000);
    const before = performance.now();
    expect((await send("again")).stdout).toContain("sent to Desktop as message 2");
    expect(performance.now() - before).toBeWithin(900, 3_000);
  });

  test.each([
    ["floods its outputs and stays", "yes flood | head -c 20000000 >&2 & yes flood | head -c 20000000"],
    ["dies late", "sleep 2.5; kill -9 $$"],
  ])("a notify-send that %s delays no receipt, and another server announces the message", async (_name, script) => {
    await using box = await openDesktop();
    const mark = uniqueSleep();
    replaceNotifySend(box, `${script}; ${mark}`);
    const server = await start(box, desktop);
    const before = performance.now();
    await server.send("hello");
    expect(performance.now() - before).toBeLessThan(2_000);
    await idle(box);
    await start(box, code, []);
    await announced(box);
    expect(await afterLook(box)).toEqual(["hello", "marker"]);
    const all = [mark, "yes flood"];
    await until("all that it started to end", () => all.every((each) => runningWith(each).length === 0));
  });

  test.each(["SIGINT", "SIGTERM"] as const)("%s ends relay send and its notifier", async (signal) => {
    await using box = await openDesktop();
    const mark = uniqueSleep();
    replaceNotifySend(box, mark);
    const env = { ...box.env, ...box.session.env };
    const child = Bun.spawn([...notifiersFrom(box.programs), relayBinary, "send", "--to", "code", "hello"], {
      env,
      cwd: box.home,
      stdout: "pipe",
    });
    await until("its notifier", () => runningWith(mark).length > 0);
    expect(await child.stdout.getReader().read()).toMatchObject({ done: false });
    child.kill(signal);
    await child.exited;
    expect(child.signalCode).toBe(signal);
    await until("its notifier to be gone", () => runningWith(mark).length === 0);
  });

  test("processes that a notifier leaves behind end with it", async () => {
    await using box = await openDesktop();
    const mark = uniqueSleep();
    replaceNotifySend(box, `${mark} & exit 0`);
    expect((await send(box, "code", "hello")).status).toBe(0);
    await until("everything it started to be gone", () => runningWith(mark).length === 0);
  });

  test("a server with an invalid RELAY_NOTIFY says so, serves, and shows its client no notification", async () => {
    await using box = await openDesktop();
    const server = await startSession(box, {
      args: ["--client", "code"],
      env: { ...box.session.env, RELAY_NOTIFY: "0" },
    });
    expect(server.stderr()).toBe('relay: RELAY_NOTIFY is "0". It must be auto or off.\n');
    expect(await send(box, "code", "hello")).toMatchObject({ status: 0 });
    const refused = await send(box, "code", "hello", { RELAY_NOTIFY: "0" });
    expect(refused).toMatchObject({
      status: 2,
      stdout: "",
      stderr: expect.stringContaining("must be auto or off"),
    });
    expect(bodies(box)).toEqual([]);
  });

  test("after kill -9 between the lease and the notification another server announces the message", async () => {
    await using box = await openDesktop();
    const mark = uniqueSleep();
    replaceNotifySend(box, `exec ${mark}`);
    const first = await start(box, desktop);
    await first.send("hello");
    await until("its notifier", () => runningWith(mark).length > 0);
    process.kill(first.pid, "SIGKILL");
    await start(box, code, []);
    expect(await afterLook(box)).toEqual(["marker"]); // the lease still stands
    await until("its notifier to be gone", () => runningWith(mark).length === 0);
    age(box, 20_000);
    await announced(box, 2);
    expect(await afterLook(box, "the last")).toEqual(["marker", "hello", "the last"]);
  });

  test.each([
    ["a client that leaves", (server: Awaited<ReturnType<typeof startSession>>) => server.child.stdin.end()],
    ["a signal", (server: Awaited<ReturnType<typeof startSession>>) => server.child.kill("SIGTERM")],
  ])("no notifier outlives a server that ends by %s, and its lease is left to others", async (_name, end) => {
    await using box = await openDesktop();
    const mark = uniqueSleep();
    replaceNotifySend(box, mark); // and the shell that waits for it
    const command = [...notifiersFrom(box.programs), relayBinary];
    const server = await startSession(box, { command, args: ["--client", "desktop"], env: box.session.env });
    server.send(toolCall(1, "relay_send", { message: "hello" }));
    await server.answer(1);
    await until("its notifier", () => runningWith(mark).length > 0);
    const before = performance.now();
    end(server);
    expect(await server.child.exited).toBe(0);
    expect(performance.now() - before).toBeLessThan(5_000);
    await until("its notifier to be gone", () => runningWith(mark).length === 0);
    await start(box, code, []);
    age(box, 20_000);
    await announced(box);
    expect(bodies(box)).toEqual(["hello"]);
  });

  test("a client that leaves at once after two sends still has both announced", async () => {
    const attempt = async () => {
      await using box = await openDesktop();
      const server = await startSession(box, { args: ["--client", "desktop"], env: box.session.env });
      server.send(toolCall(1, "relay_send", { message: "one" }));
      server.send(toolCall(2, "relay_send", { message: "two" }));
      await Promise.all([server.answer(1), server.answer(2)]);
      server.child.stdin.end();
      expect(await server.child.exited).toBe(0);
      return bodies(box);
    };
    // A busy machine may take longer over a notification than the 0.3 s in which the server ends; then others announce it.
    let shown = await attempt();
    for (let more = 10; shown.length < 2 && more > 0; more--) shown = await attempt();
    // the second does not wait for the first there, so a busy machine may show them in either order
    expect(shown.sort()).toEqual(["1 more: two", "one"]);
  });

  test("messages that the original stores are announced, those from before relay are not", async () => {
    await using box = await openDesktop();
    using original = openPatiently(box.buffer);
    original.run(
      `CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL, message TEXT NOT NULL,
       timestamp TEXT NOT NULL, read_by_desktop_at TEXT, read_by_code_at TEXT)`,
    );
    original.run(insert, ["old"]);
    await start(box, code);
    await watched(box);
    expect(await afterLook(box, "new")).toEqual(["new"]);
    expect(await afterLook(box)).toEqual(["new", "marker"]);
  });

  test("the notifier sees nothing of a server's input, and nothing of its secrets", async () => {
    await using box = await openDesktop();
    const seen = join(box.home, "seen");
    replaceNotifySend(box, `{ env; cat; } >'${seen}.part'; mv '${seen}.part' '${seen}'`);
    const server = await start(box, { ...desktop, env: { ANTHROPIC_API_KEY: "hush-hush" } });
    await server.send("hello");
    await until("the notifier to end", () => existsSync(seen));
    const names = readFileSync(seen, "utf8")
      .trim()
      .split("\n")
      .map((line) => line.split("=", 1)[0] ?? "");
    expect(names.filter((name) => !["PWD", "SHLVL", "_", "OLDPWD"].includes(name)).sort()).toEqual([
      "DBUS_SESSION_BUS_ADDRESS",
      "HOME",
      "LANG",
      "XDG_RUNTIME_DIR",
    ]);
  });

  test.each([
    ["plays the sound itself where the daemon cannot", "silent", true],
    ["leaves the sound to a daemon that can", "sound", false],
  ] as const)("relay %s", async (_name, how, played) => {
    await using box = await openDesktop();
    await box.session.behave(how);
    const record = join(box.home, "played");
    writeFileSync(join(box.programs, "canberra-gtk-play"), `#!/bin/sh\necho "$@" >'${record}'\n`, {
      mode: 0o755,
    });
    expect((await send(box, "code", "hello")).status).toBe(0);
    expect(box.session.shown().length).toBe(1);
    expect(existsSync(record) && readFileSync(record, "utf8").trim()).toBe(played && "--id=message-new-instant");
  });
});

// A private /run with the person's bus in its usual place.
const privately = ["unshare", "--mount", "sh", "-c"];
const ownBus = `mount -t tmpfs none /run && mkdir -p /run/user/0 && ln -s "$0" /run/user/0/bus`;
const canMakeBus =
  canNotify &&
  process.getuid?.() === 0 &&
  Bun.which("unshare") &&
  Bun.spawnSync([...privately, ownBus, "bus"]).exitCode === 0;

test.skipIf(!canMakeBus)("a server with the SDK's default environment finds the bus where it usually is", async () => {
  await using box = await openDesktop();
  const env = { ...getDefaultEnvironment(), ...box.env, XDG_RUNTIME_DIR: "" };
  expect(Object.keys(env)).not.toContain("DBUS_SESSION_BUS_ADDRESS");
  const [command, ...args] = [...privately, `${ownBus} && exec "$@"`, box.session.socket, relayBinary];
  const server = await connect(box, { ...desktop, command, args, env });
  await server.send("hello");
  await announced(box);
  expect(bodies(box)).toEqual(["hello"]);
});
