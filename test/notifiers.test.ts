// What is run on each system to show a notification: argv and environment, as tables. Text is never part of a script.
import { describe, expect, spyOn, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { announcementOf } from "../src/core/announcement.ts";
import type { Announcement } from "../src/core/notifier.ts";
import type { Lease } from "../src/core/store.ts";
import { createSystemNotifier, planFor } from "../src/notify/programs.ts";
import { systemNotifier } from "../src/notify/system-notifier.ts";
import type { System } from "../src/platform/system.ts";
import { canNotify, desktopSession } from "./support/desktop-session.ts";
import { sandbox } from "./support/sandbox.ts";
import { systemOf as systemWith } from "./support/system.ts";

const secrets = {
  ANTHROPIC_API_KEY: "hush-hush",
  CLAUDECODE: "1",
  NODE_OPTIONS: "--require=x",
  LD_PRELOAD: "x.so",
};

function systemOf(
  kind: System["kind"],
  variables: System["variables"] = {},
  programs: string[] = [],
): System {
  return systemWith(kind, { ...secrets, ...variables }, programs);
}

const hello: Announcement = { title: "For Code, from Desktop", body: "hello", sound: null };

const call = ["--user", "--timeout=3", "--", "call", "org.freedesktop.Notifications"];
const notify = ["/org/freedesktop/Notifications", "org.freedesktop.Notifications"];

describe("Linux", () => {
  const bus = { XDG_RUNTIME_DIR: "/run/user/1000", DBUS_SESSION_BUS_ADDRESS: "unix:path=/run/user/1000/bus" };

  test.each([
    [
      "notify-send where it is installed",
      hello,
      ["/usr/bin/notify-send", "/usr/bin/busctl"],
      ["/usr/bin/notify-send", "--app-name=relay", "--", hello.title, "hello"],
    ],
    [
      "the default sound",
      { ...hello, sound: "default" },
      ["/usr/bin/notify-send"],
      [
        "/usr/bin/notify-send",
        "--app-name=relay",
        "--hint=string:sound-name:message-new-instant",
        "--",
        hello.title,
        "hello",
      ],
    ],
    [
      "markup and backslashes",
      { ...hello, body: "<b> & C:\\new" },
      ["/usr/bin/notify-send"],
      ["/usr/bin/notify-send", "--app-name=relay", "--", hello.title, "&lt;b&gt; &amp; C:\\\\new"],
    ],
    [
      "busctl else",
      { ...hello, body: "<b> & C:\\new", sound: "bell" },
      ["/usr/bin/busctl"],
      [
        "/usr/bin/busctl",
        ...call,
        ...notify,
        "Notify",
        "susssasa{sv}i",
        "relay",
        "0",
        "",
        hello.title,
        "&lt;b&gt; &amp; C:\\new",
        "0",
        "1",
        "sound-name",
        "s",
        "bell",
        "-1",
      ],
    ],
  ])("%s", (_name, announcement, programs, argv) => {
    const plan = planFor(announcement, systemOf("linux", {}, programs));
    expect(plan).toMatchObject({ toast: { argv, env: bus }, folder: "/", limitMilliseconds: 3_000 });
    expect(plan?.toast.env).toEqual(bus);
  });

  test("nothing, where there is neither", () => {
    expect(planFor(hello, systemOf("linux"))).toBeNull();
  });

  test.each([
    [{}, "/run/user/1000", "unix:path=/run/user/1000/bus"],
    [{ XDG_RUNTIME_DIR: "/tmp/run" }, "/tmp/run", "unix:path=/tmp/run/bus"],
    [{ DBUS_SESSION_BUS_ADDRESS: "unix:abstract=x" }, "/run/user/1000", "unix:abstract=x"],
  ])("%j decide on the bus", (variables, runtime, address) => {
    const plan = planFor(hello, systemOf("linux", variables, ["/usr/bin/notify-send"]));
    expect(plan?.toast.env).toEqual({ XDG_RUNTIME_DIR: runtime, DBUS_SESSION_BUS_ADDRESS: address });
  });

  const bell = "/usr/share/sounds/freedesktop/stereo/bell.oga";
  test.each([
    [
      ["/usr/bin/canberra-gtk-play", "/usr/bin/pw-play", bell],
      ["/usr/bin/canberra-gtk-play", "--id=bell"],
    ],
    [
      ["/usr/bin/paplay", "/usr/bin/pw-play", bell],
      ["/usr/bin/pw-play", bell],
    ],
    [
      ["/usr/bin/paplay", bell],
      ["/usr/bin/paplay", bell],
    ],
    [["/usr/bin/paplay"], undefined],
    [[], undefined],
  ])("with %j the sound is played by %j", (programs, argv) => {
    const system = systemOf("linux", {}, ["/usr/bin/notify-send", "/usr/bin/busctl", ...programs]);
    expect(planFor({ ...hello, sound: "bell" }, system)?.sound?.play.argv).toEqual(argv as string[]);
    expect(planFor(hello, system)?.sound).toBeUndefined();
  });
});

const script = [
  "-e",
  "on run argv",
  "-e",
  "display notification (item 2 of argv) with title (item 1 of argv)",
];

test.each([
  [null, [...script, "-e", "end run", "--", hello.title, "hello"]],
  [
    "default",
    [
      ...script.slice(0, 3),
      `${script[3]} sound name (item 3 of argv)`,
      "-e",
      "end run",
      "--",
      hello.title,
      "hello",
      "Glass",
    ],
  ],
  [
    "Ping",
    [
      ...script.slice(0, 3),
      `${script[3]} sound name (item 3 of argv)`,
      "-e",
      "end run",
      "--",
      hello.title,
      "hello",
      "Ping",
    ],
  ],
])("macOS, with the sound %j", (sound, argv) => {
  expect(planFor({ ...hello, sound }, systemOf("macos", { HOME: "/Users/me" }))).toEqual({
    toast: { argv: ["/usr/bin/osascript", ...argv], env: { HOME: "/Users/me" } },
    folder: "/",
    limitMilliseconds: 5_000,
  });
});

const powershellFlags = [
  "-NoLogo",
  "-NoProfile",
  "-NonInteractive",
  "-WindowStyle",
  "Hidden",
  "-EncodedCommand",
];

describe("Windows", () => {
  test.each([
    [{}, null, "C:\\Windows", ""],
    [{ SystemRoot: "D:\\WinNT" }, "default", "D:\\WinNT", "ms-winsoundevent:Notification.Default"],
    [{ SystemRoot: "C:\\Windows" }, "IM", "C:\\Windows", "ms-winsoundevent:Notification.IM"],
  ])("with %j and the sound %j", (variables, sound, root, source) => {
    const plan = planFor({ ...hello, sound }, systemOf("windows", variables));
    expect(plan?.toast.argv.slice(0, -1)).toEqual([
      `${root}\\System32\\WindowsPowerShell\\v1.0\\powershell.exe`,
      ...powershellFlags,
    ]);
    expect(plan?.toast.env).toEqual({
      SystemRoot: root,
      RELAY_TITLE: hello.title,
      RELAY_BODY: "hello",
      RELAY_SOUND: source,
    });
    expect(plan).toMatchObject({ folder: root, limitMilliseconds: 15_000 });
  });

  test("the script", () => {
    const encoded = planFor(hello, systemOf("windows"))?.toast.argv.at(-1) ?? "";
    expect(Buffer.from(encoded, "base64").toString("utf16le")).toMatchSnapshot();
  });
});

describe("WSL", () => {
  const mounted = "/mnt/c/Windows/System32/WindowsPowerShell/v1.0/powershell.exe";

  test.each([
    ["where Windows usually is", [mounted, "/windir/powershell.exe"], {}, mounted],
    [
      "found in PATH else",
      ["/windir/powershell.exe"],
      { WSL_INTEROP: "/run/WSL/8_interop" },
      "/windir/powershell.exe",
    ],
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
    expect(plan).toMatchObject({
      folder: program.slice(0, program.lastIndexOf("/")),
      limitMilliseconds: 15_000,
    });
  });

  test("without a Windows that can be reached it is a Linux", () => {
    const linux = ["/usr/bin/notify-send"];
    expect(planFor(hello, systemOf("wsl", {}, linux))).toEqual(planFor(hello, systemOf("linux", {}, linux)));
  });
});

describe("a Windows notifier", () => {
  test("is started without a console window, without input, and as no group of its own", async () => {
    const spawn = spyOn(Bun, "spawn").mockImplementation(() => {
      throw new Error("no such program");
    });
    try {
      const { shown } = createSystemNotifier(systemOf("windows")).show(hello);
      expect(await shown).toContain("no such program");
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
    ["printf shown; exit 3", expect.stringContaining("ended with 3")],
  ])("that runs %j is answered %j", async (script, outcome) => {
    await using box = sandbox();
    const program = join(box.home, "Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe");
    writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    mkdirSync(join(box.home, "Windows"));
    const system = systemOf("windows", { SystemRoot: join(box.home, "Windows") });
    expect(await createSystemNotifier(system).show(hello).shown).toEqual(outcome);
  });
});

test("a notifier that cannot be had is a failure like any other", async () => {
  const notifier = systemNotifier(() => {
    throw new Error("no system");
  });
  const { shown, finished } = notifier.show(hello);
  expect([await shown, await finished]).toEqual(["no system", undefined]);
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

describe("hostile text is data", () => {
  const programs = ["/usr/bin/notify-send", "/usr/bin/busctl", "/usr/bin/canberra-gtk-play"];
  const systems = [
    systemOf("linux", {}, programs),
    systemOf("linux", {}, programs.slice(1)),
    systemOf("macos"),
    systemOf("windows"),
    systemOf("wsl", {}, ["/mnt/c/Windows/System32/WindowsPowerShell/v1.0/powershell.exe"]),
  ];
  const leased = (message: string, sound = "default"): Lease => {
    return { name: "", reader: "code", count: 1, more: false, message, sound };
  };
  const asData = (kind: string, text: string) => {
    const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
    return [text, escaped, escaped.replaceAll("\\", "\\\\")].map((body) => `${kind}${body}`);
  };

  test.each(
    systems.flatMap((system) =>
      hostile.map((text) => [system.kind, text.slice(0, 40), system, text] as const),
    ),
  )("%s: %j", (_kind, _text, system, text) => {
    const announcement = announcementOf(leased(text));
    const plain = planFor(announcementOf(leased("plain")), system);
    const plan = planFor(announcement, system);
    // whatever is run for a harmless text is run for this one, but for one argument or variable that is the text
    const differing = plan?.toast.argv.filter((word, index) => word !== plain?.toast.argv[index]) ?? [];
    const variables = Object.entries(plan?.toast.env ?? {}).filter(
      ([name, value]) => plain?.toast.env[name] !== value,
    );
    const changed = [...differing, ...variables.map(([name, value]) => `${name}=${value}`)];
    expect(changed).toHaveLength(1);
    expect([...asData("", announcement.body), `RELAY_BODY=${announcement.body}`]).toContain(changed[0] ?? "");
    expect(plan?.sound).toEqual(plain?.sound as never);
    // an argument that begins with a dash stands behind what ends the options
    const place = plan?.toast.argv.indexOf(differing[0] ?? "") ?? -1;
    if (place >= 0) expect(plan?.toast.argv.slice(0, place)).toContain("--");
  });

  test.each(hostile.map((text) => [text.slice(0, 40), text]))(
    "%j is short and can be shown",
    (_name, text) => {
      const { body } = announcementOf(leased(text));
      expect([...body].length).toBeLessThanOrEqual(120);
      expect(body).not.toMatch(
        /\p{Cc}|\p{Bidi_Control}|[\u{e0000}-\u{e007f}]|\p{Noncharacter_Code_Point}|\n/u,
      );
      expect(body).not.toBe("");
    },
  );

  test.each([["../../etc/passwd"], ["-x"], ["a:b"], [""], ["x".repeat(65)], ["a\nb"], ['a"b'], ["<b>"]])(
    "a sound that somebody else stored as %j is the default one",
    (sound) => {
      expect(announcementOf(leased("x", sound)).sound).toBe("default");
    },
  );
});

test.each([
  [{ count: 1, more: false }, "text"],
  [{ count: 3, more: false }, "3 messages: text"],
  [{ count: 3, more: true }, "3 more: text"],
  [{ count: 1, more: true }, "1 more: text"],
])("%j reads %j", (counts, body) => {
  expect(
    announcementOf({ name: "", reader: "desktop", message: " text\n", sound: "off", ...counts }),
  ).toEqual({
    title: "For Desktop, from Code",
    body,
    sound: null,
  });
});

test.skipIf(!canNotify)("busctl shows what notify-send shows", async () => {
  await using box = sandbox();
  const session = await desktopSession(box);
  const announcement = { title: "-- For <Code>", body: "--help <b> & \\n 😀", sound: "bell" };
  for (const programs of [["/usr/bin/notify-send"], ["/usr/bin/busctl"]]) {
    const plan = planFor(announcement, systemOf("linux", { ...session.env }, programs));
    const { exitCode } = Bun.spawnSync(plan?.toast.argv ?? [], { env: plan?.toast.env ?? {} });
    expect(exitCode).toBe(0);
  }
  const [one, two] = session.shown();
  expect(one).toMatchObject({
    app: "relay",
    summary: announcement.title,
    body: "--help &lt;b&gt; &amp; \\n 😀",
  });
  expect(two).toMatchObject({ ...one, hints: { "sound-name": "bell" } });
});

// A script of ours in the place of PowerShell, which wine has not: it says what reached it, past Windows' own quoting.
const echo = `var env = new ActiveXObject("WScript.Shell").Environment("PROCESS");
function line(value) { WScript.Echo(escape(value)); }
for (var i = 0; i < WScript.Arguments.length; i++) line(WScript.Arguments(i));
for (var n = 0; n < ${hostile.length}; n++) line(env("RELAY_BODY_" + n));
`;

test.skipIf(!Bun.which("wine"))(
  "arguments and environment reach a Windows program unchanged",
  async () => {
    await using box = sandbox();
    const wine = { WINEPREFIX: join(box.home, "wine"), WINEDEBUG: "-all" };
    box.defer(async () => {
      await box.run(["wineserver", "-k", "-w"], { env: wine });
    });
    writeFileSync(join(box.home, "echo.js"), echo);
    const plans = hostile.map((message) => {
      const lease = { name: "", reader: "code", count: 1, more: false, message, sound: "off" } as const;
      return planFor(announcementOf(lease), systemOf("windows"));
    });
    const args = plans[0]?.toast.argv.slice(1) ?? [];
    const bodies = plans.map((plan) => plan?.toast.env.RELAY_BODY ?? "");
    // all of them at once, because a program takes seconds to start under wine
    const variables = Object.fromEntries(bodies.map((body, n) => [`RELAY_BODY_${n}`, body]));
    const argv = ["wine", "cscript.exe", "//nologo", "echo.js", ...args];
    const { stdout, status } = await box.run(argv, { env: { ...wine, ...variables } });
    const lines = stdout
      .trimEnd()
      .split("\r\n")
      .map((line) => unescape(line));
    expect({ status, lines }).toEqual({ status: 0, lines: [...args, ...bodies] });
  },
  180_000,
);

test.skipIf(process.platform !== "linux")(
  "a machine that falls asleep between the notification and its sound: nothing is played late, or said of it",
  async () => {
    await using box = sandbox();
    const played = join(box.home, "played");
    const sleep = `read -r _ _ _ relay _ < /proc/$PPID/stat
setsid sh -c "kill -STOP $relay; sleep 3.2; kill -CONT $relay" >/dev/null 2>&1 &
sleep 0.2`;
    for (const [name, script] of [
      ["notify-send", sleep],
      ["busctl", ""],
      ["canberra-gtk-play", `echo played >'${played}'`],
    ])
      writeFileSync(join(box.programs, `${name}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const sent = await box.relay(["send", "--to", "code", "hello"], { env: { RELAY_NOTIFY: "auto" } });
    expect(sent).toMatchObject({ status: 0, stderr: "" });
    expect(existsSync(played)).toBe(false);
  },
);
