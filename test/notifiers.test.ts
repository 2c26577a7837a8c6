// The program that shows a notification on each system: argv and environment, as tables. Text is never part of a script.
import { describe, expect, spyOn, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { notificationOf } from "../src/core/notifications.ts";
import type { Notification } from "../src/core/notifier.ts";
import type { NotificationLease } from "../src/core/store.ts";
import { createSystemNotifier, planFor } from "../src/notify/programs.ts";
import { systemNotifier } from "../src/notify/system-notifier.ts";
import type { System } from "../src/platform/system.ts";
import { canNotify, desktopSession } from "./support/desktop-session.ts";
import { systemOf as systemWith } from "./support/fake-system.ts";
import { sandbox, until } from "./support/sandbox.ts";

const secrets = {
  ANTHROPIC_API_KEY: "hush-hush",
  CLAUDECODE: "1",
  NODE_OPTIONS: "--require=x",
  LD_PRELOAD: "x.so",
};

/** A system with these programs, whose variables have secrets among them. */
function systemOf(kind: System["kind"], variables: System["variables"] = {}, programs: string[] = []) {
  return systemWith(kind, { ...secrets, ...variables }, programs);
}

const hello: Notification = { title: "For Code, from Desktop", body: "hello", sound: null };
const marked: Notification = { ...hello, body: "<b> & C:\\new" };
const send = "/usr/bin/notify-send";
const busctl = "/usr/bin/busctl";
const powershell = "/mnt/c/Windows/System32/WindowsPowerShell/v1.0/powershell.exe";

describe("Linux", () => {
  const escaped = "&lt;b&gt; &amp; C:";
  const notify = "org.freedesktop.Notifications /org/freedesktop/Notifications org.freedesktop.Notifications Notify";
  const call = [busctl, ..."--user --timeout=3 -- call".split(" "), ...notify.split(" "), "susssasa{sv}i"];

  test.each([
    ["notify-send where it is installed", hello, [send, busctl], ["--", hello.title, "hello"]],
    [
      "the default sound",
      { ...hello, sound: "default" },
      [send],
      ["--hint=string:sound-name:message-new-instant", "--", hello.title, "hello"],
    ],
    ["markup and backslashes", marked, [send], ["--", hello.title, `${escaped}\\\\new`]],
  ])("%s", (_name, announcement, programs, rest) => {
    expect(planFor(announcement, systemOf("linux", {}, programs))?.toast.argv).toEqual([
      send,
      "--app-name=relay",
      ...rest,
    ]);
  });

  test.each([
    [marked, `${escaped}\\new`, ["0"]],
    [{ ...marked, sound: "bell" }, `${escaped}\\new`, ["1", "sound-name", "s", "bell"]],
  ])("busctl else: %j", (announcement, body, hints) => {
    const argv = [...call, "relay", "0", "", hello.title, body, "0", ...hints, "-1"];
    expect(planFor(announcement, systemOf("linux", {}, [busctl]))?.toast.argv).toEqual(argv);
  });

  test("nothing, where there is neither", () => {
    expect(planFor(hello, systemOf("linux"))).toBeNull();
  });

  test.each([
    [{}, "/run/user/1000", "unix:path=/run/user/1000/bus"],
    [{ XDG_RUNTIME_DIR: "/tmp/run" }, "/tmp/run", "unix:path=/tmp/run/bus"],
    [{ DBUS_SESSION_BUS_ADDRESS: "unix:abstract=x" }, "/run/user/1000", "unix:abstract=x"],
  ])("%j decide on the bus, and nothing else is passed on", (variables, runtime, address) => {
    for (const program of [send, busctl]) {
      const plan = planFor(hello, systemOf("linux", variables, [program]));
      expect(plan?.toast.env).toEqual({ XDG_RUNTIME_DIR: runtime, DBUS_SESSION_BUS_ADDRESS: address });
      expect(plan).toMatchObject({ folder: "/", limitMilliseconds: 3_000 });
    }
  });

  const bell = "/usr/share/sounds/freedesktop/stereo/bell.oga";
  const [canberra, pw, pa] = ["/usr/bin/canberra-gtk-play", "/usr/bin/pw-play", "/usr/bin/paplay"];
  test.each([
    [`${canberra} ${pw} ${bell}`, `${canberra} --id=bell`],
    [`${pa} ${pw} ${bell}`, `${pw} ${bell}`],
    [`${pa} ${bell}`, `${pa} ${bell}`],
    [pa, undefined],
  ])("with %j the sound is played by %j", (programs = "", command) => {
    const system = systemOf("linux", {}, [send, busctl, ...programs.split(" ")]);
    expect(planFor({ ...hello, sound: "bell" }, system)?.sound?.play.argv.join(" ")).toBe(command as string);
    expect(planFor(hello, system)?.sound).toBeUndefined();
  });
});

test.each([
  [null, "", []],
  ["default", " sound name (item 3 of argv)", ["Glass"]],
  ["Ping", " sound name (item 3 of argv)", ["Ping"]],
])("macOS, with the sound %j", (sound, clause, name) => {
  const display = `display notification (item 2 of argv) with title (item 1 of argv)${clause}`;
  const script = ["-e", "on run argv", "-e", display, "-e", "end run"];
  expect(planFor({ ...hello, sound }, systemOf("macos", { HOME: "/Users/me" }))).toEqual({
    toast: {
      argv: ["/usr/bin/osascript", ...script, "--", hello.title, "hello", ...name],
      env: { HOME: "/Users/me" },
    },
    folder: "/",
    limitMilliseconds: 5_000,
  });
});

describe("Windows", () => {
  const flags = "-NoLogo -NoProfile -NonInteractive -WindowStyle Hidden -EncodedCommand".split(" ");

  test.each([
    [{}, null, "C:\\Windows", ""],
    [{ SystemRoot: "D:\\WinNT" }, "default", "D:\\WinNT", "ms-winsoundevent:Notification.Default"],
    [{ SystemRoot: "C:\\Windows" }, "IM", "C:\\Windows", "ms-winsoundevent:Notification.IM"],
  ])("with %j and the sound %j", (variables, sound, root, source) => {
    const plan = planFor({ ...hello, sound }, systemOf("windows", variables));
    const program = `${root}\\System32\\WindowsPowerShell\\v1.0\\powershell.exe`;
    expect(plan?.toast.argv.slice(0, -1)).toEqual([program, ...flags]);
    const texts = { RELAY_TITLE: hello.title, RELAY_BODY: "hello", RELAY_SOUND: source };
    expect(plan?.toast.env).toEqual({ SystemRoot: root, ...texts });
    expect(plan).toMatchObject({ folder: root, limitMilliseconds: 15_000 });
  });

  test("the script", () => {
    const encoded = planFor(hello, systemOf("windows"))?.toast.argv.at(-1) ?? "";
    expect(Buffer.from(encoded, "base64").toString("utf16le")).toMatchSnapshot();
  });

  test("it is started without a console window, without input, and as no group of its own", async () => {
    const spawn = spyOn(Bun, "spawn").mockImplementation(() => {
      throw new Error("no such program");
    });
    try {
      expect(await createSystemNotifier(systemOf("windows")).show(hello).shown).toContain("no such program");
      expect(spawn.mock.calls[0]?.[1 as never]).toMatchObject({
        detached: false,
        windowsHide: true,
        stdin: "ignore",
        stderr: "ignore",
        cwd: "C:\\Windows",
      });
    } finally {
      spawn.mockRestore();
    }
  });

  test.each([
    ["echo 'nothing'", "nothing was shown"],
    ["printf shown", null],
    ["printf shown; exit 3", expect.stringContaining("powershell.exe ended with 3")],
    ["tail -f /dev/null & echo $! >../pid; printf shown", null], // which keeps its output open
  ])("a program that runs %j is answered %j", async (script, outcome) => {
    await using box = sandbox();
    const root = join(box.home, "Windows");
    mkdirSync(root);
    const program = `${root}\\System32\\WindowsPowerShell\\v1.0\\powershell.exe`;
    writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const pid = join(box.home, "pid");
    box.defer(() => void (existsSync(pid) && process.kill(Number(readFileSync(pid, "utf8")))));
    const system = systemOf("windows", { SystemRoot: root, PATH: box.env.PATH });
    expect(await createSystemNotifier(system).show(hello).shown).toEqual(outcome);
  });
});

describe("WSL", () => {
  test.each([
    ["where Windows usually is", [powershell, "/windir/powershell.exe"], {}, powershell],
    ["found in PATH else", ["/windir/powershell.exe"], { WSL_INTEROP: "/run/8" }, "/windir/powershell.exe"],
  ])("%s", (_name, programs, variables, program) => {
    const plan = planFor({ ...hello, sound: "default" }, systemOf("wsl", variables, programs));
    const windows = planFor(hello, systemOf("windows"));
    expect(plan?.toast.argv).toEqual([program, ...(windows?.toast.argv.slice(1) ?? [])]);
    expect(plan?.toast.env).toEqual({
      RELAY_TITLE: hello.title,
      RELAY_BODY: "hello",
      RELAY_SOUND: "ms-winsoundevent:Notification.Default",
      WSLENV: "RELAY_TITLE/w:RELAY_BODY/w:RELAY_SOUND/w",
      ...variables,
    });
    expect(plan).toMatchObject({ folder: join(program, ".."), limitMilliseconds: 15_000 });
  });

  test("without a Windows that can be reached it is a Linux", () => {
    expect(planFor(hello, systemOf("wsl", {}, [send]))).toEqual(planFor(hello, systemOf("linux", {}, [send])));
  });
});

test("a notifier that cannot be had is a failure like any other", async () => {
  const notifier = systemNotifier(() => {
    throw new Error("no system");
  });
  const { shown, finished } = notifier.show(hello);
  expect([await shown, await finished]).toEqual(["no system", undefined]);
});

test("a notifier that is stopped ends its program and the programs that this started", async () => {
  await using box = sandbox();
  const program = join(box.programs, "notify-send");
  const pid = join(box.home, "pid");
  writeFileSync(program, `#!/bin/sh\ntail -f /dev/null & echo $! >'${pid}.new'; mv '${pid}.new' '${pid}'; wait\n`);
  const notifier = createSystemNotifier(systemOf("linux", { PATH: box.env.PATH }, [program]));
  const { shown } = notifier.show(hello);
  await until("the program started", () => existsSync(pid));
  notifier.stop();
  expect(await shown).toBe(`${program} ended with SIGKILL`);
  const ps = ["ps", "-o", "stat=", "-p", readFileSync(pid, "utf8").trim()];
  await until("both ended", () => /^(?:Z|$)/.test(Bun.spawnSync(ps).stdout.toString()));
  expect(await notifier.show(hello).shown).toBe(`${program} was stopped`);
});

const hostile = [
  '"; rm -rf ~; #',
  "$(calc) `calc` $IFS",
  "%PATH% !PATH! ^&|<>",
  "' + [System.Diagnostics.Process]::Start('calc') + '",
  '" & (do shell script "calc") & "',
  "<b>bold</b> &amp; ]]> <image src='https://example.org'/>",
  "--help",
  "-e 'do shell script'",
  "one\ntwo\r\nthree",
  "x".repeat(100_000),
  "😀👩‍👩‍👧‍👦".repeat(100),
  "\u202eevil\u2066 \u{e0041}\u{e0042} \u001b]0;title\u0007 \u0000 \ufffe",
];

/** A message on its way to a notification. */
function leased(message: string, sound = "default"): NotificationLease {
  return { id: "", reader: "code", count: 1, more: false, message, typed_in: null, project: null, sound };
}

describe("hostile text is data", () => {
  const programs = [send, busctl, "/usr/bin/canberra-gtk-play"];
  const systems = [
    systemOf("linux", {}, programs),
    systemOf("linux", {}, programs.slice(1)),
    systemOf("macos"),
    systemOf("windows"),
    systemOf("wsl", {}, [powershell]),
  ];

  test.each(
    systems.flatMap((system) => hostile.map((text) => [system.kind, text.slice(0, 40), system, text] as const)),
  )("%s: %j", (_kind, _text, system, text) => {
    const { body } = notificationOf(leased(text));
    const plain = planFor(notificationOf(leased("plain")), system);
    const plan = planFor(notificationOf(leased(text)), system);
    // the same is run as for a harmless text, but for one argument or variable, which is the text
    const differing = plan?.toast.argv.filter((word, index) => word !== plain?.toast.argv[index]) ?? [];
    const variables = Object.entries(plan?.toast.env ?? {}).filter(([name, value]) => plain?.toast.env[name] !== value);
    const changed = [...differing, ...variables.map(([name, value]) => `${name}=${value}`)];
    expect(changed).toHaveLength(1);
    const escaped = body.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
    const forms = [body, escaped, escaped.replaceAll("\\", "\\\\"), `RELAY_BODY=${body}`];
    expect(forms).toContain(changed[0] ?? "");
    expect(plan?.sound).toEqual(plain?.sound as never);
    // an argument that begins with a dash comes after the end of the options
    const place = plan?.toast.argv.indexOf(differing[0] ?? "") ?? -1;
    if (place >= 0) expect(plan?.toast.argv.slice(0, place)).toContain("--");
  });

  test.each(hostile.map((text) => [text.slice(0, 40), text]))("%j is short and can be shown", (_, text) => {
    const { body } = notificationOf(leased(text));
    expect([...body].length).toBeLessThanOrEqual(120);
    expect(body).not.toMatch(/\p{Cc}|\p{Bidi_Control}|[\u{e0000}-\u{e007f}]|\p{Noncharacter_Code_Point}|\n/u);
    expect(body).not.toBe("");
  });

  test.each(["../../etc/passwd", "-x", "a:b", "", "x".repeat(65), "a\nb", 'a"b', "<b>"])(
    "a sound that another program stored as %j is the default one",
    (sound) => {
      expect(notificationOf(leased("x", sound)).sound).toBe("default");
    },
  );
});

test.each([
  [{ count: 1, more: false }, "text"],
  [{ count: 3, more: false }, "3 messages: text"],
  [{ count: 3, more: true }, "3 more: text"],
  [{ count: 1, more: true }, "1 more: text"],
])("%j reads %j", (counts, body) => {
  const announcement = notificationOf({ ...leased(" text\n", "off"), reader: "desktop", ...counts });
  expect(announcement).toEqual({ title: "For Desktop, from Code", body, sound: null });
});

describe("a notification says the first words of", () => {
  const long = "x".repeat(200);
  test.each([
    [
      "a heading, a list and a paragraph",
      "\n\n# Plan\n\n- **Read** it\n* [ ] `npm test`\n1. _then_\n\nBuild.",
      "Plan Read it npm test then Build.",
    ],
    ["a text after a code block", "```sh\nnpm test\n```\n~~~\nmore\n~~~\nPlease run it.", "Please run it."],
    [
      "a link, but not its target",
      `See [the **plan**](https://example.com/${long}) and ![a picture](x.png)`,
      "See the plan and a picture",
    ],
    ["a quote, a table and a rule", "> said\n\n---\n\n| a | b |\n|---|---|\n| 1 | 2 |", "said a b 1 2"],
    ["code that is alone", "```ts\nconst a = 1;\n```", "const a = 1;"],
    ["code that does not end", "```ts\nconst a = 1;\n", "const a = 1;"],
    ["marks alone", "---\n***", "--- ***"],
    [
      "no Markdown",
      "snake_case, 2 * 3 * 4, C:\\new, a<b>c</b>, 5 < 6 & me@example.com",
      "snake_case, 2 * 3 * 4, C:\\new, a<b>c</b>, 5 < 6 & me@example.com",
    ],
    ["references of characters", "a &#8238; b `&#x1b;` &lt;", "a &#8238; b &#x1b; &lt;"],
  ])("%s", (_, text, body) => {
    expect(notificationOf(leased(text)).body).toBe(body);
  });
});

test("a notification says that the person typed it", () => {
  expect(notificationOf({ ...leased("x"), typed_in: "terminal" }).title).toBe("For Code, from you, in a terminal");
  const inProject = { ...leased("x"), project: "web" };
  expect(notificationOf(inProject).title).toBe("For Code (web), from Desktop");
  expect(notificationOf({ ...inProject, reader: "desktop" }).title).toBe("For Desktop, from Code (web)");
});

test.skipIf(!canNotify)("busctl shows what notify-send shows", async () => {
  await using box = sandbox();
  const session = await desktopSession(box);
  const announcement = { title: "-- For <Code>", body: "--help <b> & \\n 😀", sound: "bell" };
  for (const program of [send, busctl]) {
    const plan = planFor(announcement, systemOf("linux", { ...session.env }, [program]));
    const { exitCode } = Bun.spawnSync(plan?.toast.argv ?? [], { env: { ...plan?.toast.env } });
    expect(exitCode).toBe(0);
  }
  const [one, two] = session.shown();
  const body = "--help &lt;b&gt; &amp; \\n 😀";
  expect(one).toMatchObject({ app: "relay", summary: announcement.title, body });
  expect(two).toMatchObject({ ...one, hints: { "sound-name": "bell" } });
});
