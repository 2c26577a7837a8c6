// What may be the buffer and what may not, and that nothing of somebody else's is ever touched. design.md, "The file".
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { openPatiently } from "./support/database.ts";
import { connect } from "./support/peer.ts";
import { get, type Outcome, relayBinary, type Sandbox, sandbox, sendAll, until } from "./support/sandbox.ts";

const isRoot = process.getuid?.() === 0;
const stranger = 65_534;

const createOriginal = `CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL,
  message TEXT NOT NULL, timestamp TEXT NOT NULL, read_by_desktop_at TEXT, read_by_code_at TEXT)`;

const commands: [name: string, args: string[]][] = [
  ["send", ["send", "--to", "code", "text"]],
  ["status", ["status"]],
  ["get", ["get", "--for", "code"]],
];

function modeOf(path: string): string {
  return (statSync(path).mode & 0o7777).toString(8);
}

/** Makes a database file with these statements in it. */
function database(path: string, ...statements: string[]): void {
  using db = openPatiently(path);
  for (const statement of statements) db.run(statement);
}

/** Everything in the folder, with bytes, modes and owners. */
function snapshot(folder: string): Record<string, unknown> {
  const entries = readdirSync(folder).map((name) => {
    const path = join(folder, name);
    const { mode, uid, ino } = lstatSync(path);
    const stats = lstatSync(path);
    const holds = stats.isFile()
      ? readFileSync(path).toString("base64")
      : stats.isSymbolicLink()
        ? readlinkSync(path)
        : null;
    return [name, { mode: mode.toString(8), uid, ino, holds }];
  });
  return Object.fromEntries(entries);
}

describe("a new buffer", () => {
  test.each(["000", "022", "077", "777"])(
    "is its owner's alone, and so is its journal, under umask %s",
    async (mask) => {
      await using box = sandbox();
      const sent = await box.run(["sh", "-c", `umask ${mask}; exec "$RELAY" send --to code text`], {
        env: { RELAY: relayBinary },
      });
      expect(sent).toMatchObject({ status: 0, stderr: "" });
      expect(modeOf(box.buffer)).toBe("600");
      for (const name of readdirSync(box.home))
        expect([name, modeOf(join(box.home, name))]).toEqual([name, "600"]);
      expect(readdirSync(box.home)).toContain(".relay_buffer.db-journal");
    },
  );

  test("is its owner's alone before its first byte", async () => {
    await using box = sandbox();
    // whoever may write no byte into any file stops there
    const script = `umask 000; trap "" XFSZ; ulimit -f 0; exec "$RELAY" send --to code text`;
    const sent = await box.run(["sh", "-c", script], { env: { RELAY: relayBinary } });
    expect(sent).toMatchObject({ status: 4, stdout: "" });
    expect([statSync(box.buffer).size, modeOf(box.buffer)]).toEqual([0, "600"]);
  });

  test.each([
    ["status", ["status"]],
    ["get", ["get", "--for", "code"]],
    ["get --peek", ["get", "--for", "desktop", "--peek"]],
    ["clear", ["clear", "--yes"]],
  ])("is not made by relay %s", async (_name, args) => {
    await using box = sandbox();
    expect(await box.relay(args)).toMatchObject({ status: 0, stderr: "" });
    expect(readdirSync(box.home)).toEqual([]);
  });

  test("is not made by a server's fetch or clear", async () => {
    await using box = sandbox();
    const desktop = await connect(box, { args: ["--client", "desktop"] });
    expect(await desktop.fetch()).toBe("relay: nothing new from Code.");
    expect((await desktop.call("relay_clear")).text).toBe('{"ok":true,"deleted":0,"deleted_unread":0}');
    expect(readdirSync(box.home)).toEqual([]);
  });
});

describe("the buffer may be", () => {
  const places: [name: string, prepare: (box: Sandbox) => string][] = [
    ["where RELAY_DB says", (box) => join(box.home, "elsewhere.db")],
    [
      "at a path with spaces, quotes and letters from anywhere",
      (box) => join(box.home, "mein Püffer 'ö\" 信箱?mode=ro#%41.db"),
    ],
    [
      "the person's own link to a file",
      (box) => {
        database(join(box.home, "real.db"), createOriginal);
        symlinkSync("real.db", join(box.home, "link.db"));
        return join(box.home, "link.db");
      },
    ],
    [
      "the person's own link through a linked folder",
      (box) => {
        mkdirSync(join(box.home, "folder"));
        writeFileSync(join(box.home, "folder/real.db"), "");
        symlinkSync(join(box.home, "folder"), join(box.home, "way"));
        symlinkSync("way/real.db", join(box.home, "link.db"));
        return join(box.home, "link.db");
      },
    ],
    [
      "in a folder that anybody may write, if it is sticky",
      (box) => {
        mkdirSync(join(box.home, "shared"));
        chmodSync(join(box.home, "shared"), 0o1777);
        return join(box.home, "shared/buffer.db");
      },
    ],
    [
      "in a folder that the person's own group may write",
      (box) => {
        mkdirSync(join(box.home, "grouped"));
        chmodSync(join(box.home, "grouped"), 0o770);
        return join(box.home, "grouped/buffer.db");
      },
    ],
    [
      "an empty file",
      (box) => {
        writeFileSync(join(box.home, "empty.db"), "");
        return join(box.home, "empty.db");
      },
    ],
    [
      "the original's, which others could read until now",
      (box) => {
        database(box.buffer, createOriginal);
        chmodSync(box.buffer, 0o644);
        return box.buffer;
      },
    ],
    [
      "of a newer minor schema",
      (box) => {
        makeBuffer(box, "new.db");
        database(
          join(box.home, "new.db"),
          "ALTER TABLE messages ADD COLUMN from_the_future TEXT",
          "PRAGMA user_version = 1999",
        );
        return join(box.home, "new.db");
      },
    ],
    [
      "in WAL mode, as some tool may have left it",
      (box) => {
        database(join(box.home, "wal.db"), "PRAGMA journal_mode = WAL", createOriginal);
        return join(box.home, "wal.db");
      },
    ],
  ];
  test.each(places)("%s", async (_name, prepare) => {
    await using box = sandbox();
    const path = prepare(box);
    const env = { RELAY_DB: path };
    for (const text of ["one", "two"])
      expect(await box.relay(["send", "--to", "code", text], { env })).toMatchObject({
        status: 0,
        stderr: "",
      });
    expect(modeOf(path)).toBe("600");
    const status = JSON.parse((await box.relay(["status", "--json"], { env })).stdout);
    expect(status).toMatchObject({ buffer: path, total: 2, unread: { code: 2, desktop: 0 } });
    const got = JSON.parse((await box.relay(["get", "--for", "code", "--json"], { env })).stdout);
    expect(got.messages.map(({ message }: { message: string }) => message)).toEqual(["one", "two"]);
    if (path !== box.buffer) expect(existsSync(box.buffer)).toBe(false);
  });

  test("of a newer minor schema, whose version is left alone", async () => {
    await using box = sandbox();
    makeBuffer(box, basename(box.buffer));
    database(box.buffer, "PRAGMA user_version = 1999");
    await sendAll(box, "code", ["one"]);
    using db = openPatiently(box.buffer, { readonly: true });
    expect(db.query("PRAGMA user_version").get()).toEqual({ user_version: 1999 });
  });
});

function makeBuffer(box: Sandbox, name: string): void {
  const made = Bun.spawnSync([relayBinary, "send", "--to", "desktop", "seed"], {
    env: { ...box.env, RELAY_DB: join(box.home, name) },
  });
  if (made.exitCode !== 0) throw new Error(made.stderr.toString());
  const cleared = Bun.spawnSync([relayBinary, "clear", "--yes"], {
    env: { ...box.env, RELAY_DB: join(box.home, name) },
  });
  if (cleared.exitCode !== 0) throw new Error(cleared.stderr.toString());
}

/** A buffer of some size, with a byte changed in each of these places. */
function damaged(box: Sandbox, path: string, ...places: number[]): void {
  makeBuffer(box, basename(path));
  const bytes = readFileSync(path);
  for (const place of places) bytes[place] = (bytes[place] ?? 0) ^ 0xff;
  writeFileSync(path, bytes);
}

interface Trouble {
  name: string;
  /** Makes trouble at the path, whose folder exists and is empty. */
  make(path: string, box: Sandbox): void;
  /** What the sentence says; `PATH` and `FOLDER` stand for themselves. */
  sentence: string;
  /** Does what the sentence advises. */
  mend?(path: string): void;
  skip?: boolean;
}

const troubles: Trouble[] = [
  {
    name: "a link to nothing",
    make: (path) => symlinkSync("nowhere", path),
    sentence: "PATH is a link to a file that does not exist.",
    mend: (path) => writeFileSync(join(dirname(path), "nowhere"), ""),
  },
  {
    name: "a link to itself",
    make: (path) => symlinkSync(path, path),
    sentence: "PATH is a link that leads to itself.",
  },
  { name: "a folder", make: (path) => mkdirSync(path), sentence: "PATH is a folder, not a file." },
  {
    name: "a link to a folder",
    make: (path) => {
      mkdirSync(`${path}.d`);
      symlinkSync(`${path}.d`, path);
    },
    sentence: "is a folder, not a file.",
  },
  {
    name: "a named pipe",
    make: (path) => void Bun.spawnSync(["mkfifo", path]),
    sentence: "PATH is not a regular file.",
  },
  {
    name: "a file of two names",
    make: (path) => {
      writeFileSync(`${path}.other`, "");
      linkSync(`${path}.other`, path);
    },
    sentence: "PATH has more than one name (hard links).",
    mend: (path) => rmSync(`${path}.other`),
  },
  {
    name: "a text",
    make: (path) => writeFileSync(path, "Dear diary,\n".repeat(1000), { mode: 0o644 }),
    sentence: "PATH is not a SQLite database.",
  },
  {
    name: "a text of two bytes",
    make: (path) => writeFileSync(path, "x\n"),
    sentence: "PATH is not a SQLite database.",
  },
  {
    name: "a buffer whose schema is damaged",
    make: (path, box) => damaged(box, path, 100, 105, 106),
    sentence: "PATH is damaged.",
  },
  {
    name: "a buffer cut off after its first page",
    make: (path, box) => {
      makeBuffer(box, basename(path));
      truncateSync(path, 4096);
    },
    sentence: "PATH is damaged.",
  },
  {
    name: "a file that its owner may not write",
    make: (path) => {
      database(path, createOriginal);
      chmodSync(path, 0o444);
    },
    sentence: "PATH is read-only or unreadable to you. Run: chmod 600 PATH",
    mend: (path) => chmodSync(path, 0o600),
  },
  {
    name: "a file of another user",
    skip: !isRoot,
    make: (path) => {
      database(path, createOriginal);
      chownSync(path, stranger, stranger);
    },
    sentence: `PATH belongs to another user (uid ${stranger}).`,
    mend: (path) => chownSync(path, 0, 0),
  },
  {
    name: "a link of another user",
    skip: !isRoot,
    make: (path) => {
      database(`${path}.real`, createOriginal);
      symlinkSync(`${path}.real`, path);
      Bun.spawnSync(["chown", "-h", `${stranger}`, path]);
    },
    sentence: `PATH belongs to another user (uid ${stranger}).`,
    mend: (path) => void Bun.spawnSync(["chown", "-h", "0", path]),
  },
  {
    name: "a file beside which lies another user's journal",
    skip: !isRoot,
    make: (path) => {
      database(path, createOriginal);
      writeFileSync(`${path}-journal`, "");
      chownSync(`${path}-journal`, stranger, stranger);
    },
    sentence: `PATH-journal belongs to another user (uid ${stranger}).`,
    mend: (path) => rmSync(`${path}-journal`),
  },
  {
    name: "a file whose journal is a link",
    make: (path) => {
      database(path, createOriginal);
      writeFileSync(`${path}.bait`, "");
      symlinkSync(`${path}.bait`, `${path}-journal`);
    },
    sentence: "PATH-journal is not a regular file.",
    mend: (path) => rmSync(`${path}-journal`),
  },
  {
    name: "nothing yet, in a folder that anybody may write",
    make: (path) => chmodSync(dirname(path), 0o777),
    sentence:
      "the folder FOLDER can be written by anybody, so the buffer in it would not be safe. Run: chmod go-w FOLDER",
    mend: (path) => chmodSync(dirname(path), 0o755),
  },
  {
    name: "a file in a folder that anybody may write",
    make: (path) => {
      database(path, createOriginal);
      chmodSync(dirname(path), 0o777);
    },
    sentence: "the folder FOLDER can be written by anybody",
    mend: (path) => chmodSync(dirname(path), 0o755),
  },
  {
    name: "a link to a file in a folder that anybody may write",
    make: (path) => {
      mkdirSync(`${path}.d`);
      writeFileSync(`${path}.d/real.db`, "");
      symlinkSync(`${path}.d/real.db`, path);
      chmodSync(`${path}.d`, 0o777);
    },
    sentence: "the folder PATH.d can be written by anybody",
    mend: (path) => chmodSync(`${path}.d`, 0o755),
  },
  {
    name: "nothing yet, in a folder that a foreign group may write",
    skip: !isRoot,
    make: (path) => {
      chownSync(dirname(path), 0, stranger);
      chmodSync(dirname(path), 0o770);
    },
    sentence: "the folder FOLDER can be written by a group other than your own",
    mend: (path) => chmodSync(dirname(path), 0o750),
  },
  {
    name: "a buffer of a newer major schema",
    make: (path) => database(path, createOriginal, "PRAGMA user_version = 2001"),
    sentence: "PATH was written by a newer relay (schema 2001). Upgrade this one.",
  },
  {
    name: "some other program's database",
    make: (path) => {
      database(
        path,
        "CREATE TABLE bookmarks (url TEXT)",
        "INSERT INTO bookmarks VALUES ('x')",
        "PRAGMA user_version = 75",
      );
      chmodSync(path, 0o644);
    },
    sentence: "PATH is some other program's database, not a relay buffer.",
  },
  {
    name: "some other program's database in WAL mode",
    make: (path) => database(path, "PRAGMA journal_mode = WAL", "CREATE TABLE bookmarks (url TEXT)"),
    sentence: "PATH is some other program's database, not a relay buffer.",
  },
  {
    name: "some other program's messages",
    make: (path) => database(path, "CREATE TABLE messages (id INTEGER PRIMARY KEY, body TEXT)"),
    sentence: "PATH is some other program's database, not a relay buffer.",
  },
  {
    name: "some other program's database with a version like relay's",
    make: (path) => database(path, "CREATE TABLE bookmarks (url TEXT)", "PRAGMA user_version = 1500"),
    sentence: "PATH ",
  },
  {
    name: "a file in a folder that does not exist",
    make: (path) => rmSync(dirname(path), { recursive: true }),
    sentence: "the folder FOLDER does not exist.",
    mend: (path) => mkdirSync(dirname(path)),
  },
  {
    name: "a file in a file",
    make: (path) => {
      rmSync(dirname(path), { recursive: true });
      writeFileSync(dirname(path), "");
    },
    sentence: "FOLDER is not a folder.",
    mend: (path) => {
      rmSync(dirname(path));
      mkdirSync(dirname(path));
    },
  },
];

describe("no command and no server uses, changes or replaces", () => {
  for (const { name, make, sentence, mend, skip } of troubles) {
    test.skipIf(skip === true)(name, async () => {
      await using box = sandbox();
      const path = join(box.home, "place/buffer.db");
      mkdirSync(dirname(path), { mode: 0o700 });
      makeIn(box, path, make);
      const env = { RELAY_DB: path };
      const expected = sentence.replaceAll("PATH", path).replaceAll("FOLDER", dirname(path));
      const before = snapshotTree(box.home);

      for (const [verb, args] of commands) {
        const plain = await box.relay(args, { env });
        expect([verb, plain]).toEqual([
          verb,
          { status: 4, stdout: "", stderr: expect.stringMatching(/^relay: [^\n]+\n$/) },
        ]);
        expect(plain.stderr).toContain(expected);
        const json = await box.relay([...args, "--json"], { env });
        expect(json).toMatchObject({ status: 4, stdout: "" });
        expect(json.stderr).toMatch(/^[^\n]+\n$/);
        expect(`relay: ${JSON.parse(json.stderr).error}\n`).toBe(plain.stderr);
        expect(JSON.parse(json.stderr)).toEqual({ ok: false, error: expect.any(String), code: 4 });
      }

      const desktop = await connect(box, { args: ["--client", "desktop"], env });
      for (const [tool, args] of [
        ["relay_send", { message: "x" }],
        ["relay_fetch", {}],
        ["relay_clear", {}],
      ] as const) {
        const answer = await desktop.call(tool, args);
        expect([tool, answer]).toEqual([tool, { isError: true, text: expect.stringContaining(expected) }]);
        expect(answer.text).toMatch(/^relay: [^\n]+$/);
      }
      expect(snapshotTree(box.home)).toEqual(before);

      if (mend) mend(path);
      else renameSync(path, `${path}.away`);
      expect(await desktop.send("mended")).toMatchObject({ ok: true, unread: 1 });
      const got = await box.relay(["get", "--for", "code", "--json"], { env });
      expect(JSON.parse(got.stdout).messages).toMatchObject([{ message: "mended" }]);
    });
  }

  test("a path that is not absolute", async () => {
    await using box = sandbox();
    for (const [, args] of commands) {
      const refused = await box.relay(args, { env: { RELAY_DB: "buffer.db" } });
      expect(refused).toEqual({
        status: 4,
        stdout: "",
        stderr:
          'relay: RELAY_DB is "buffer.db", which is not an absolute path. Write it out from the root.\n',
      });
    }
    expect(readdirSync(box.home)).toEqual([]);
  });

  test("a relative RELAY_DB ends no server, whose every answer says what is wrong", async () => {
    await using box = sandbox();
    const peer = await connect(box, { args: ["--client", "code"], env: { RELAY_DB: "buffer.db" } });
    for (const [tool, args] of [
      ["relay_send", { message: "x" }],
      ["relay_fetch", {}],
      ["relay_clear", {}],
    ] as const) {
      const answer = await peer.call(tool, args);
      expect(answer).toEqual({
        isError: true,
        text: expect.stringContaining('relay: RELAY_DB is "buffer.db"'),
      });
    }
  });

  test("an empty RELAY_DB counts as none", async () => {
    await using box = sandbox();
    expect(await box.relay(["send", "--to", "code", "x"], { env: { RELAY_DB: "" } })).toMatchObject({
      status: 0,
    });
    expect(existsSync(box.buffer)).toBe(true);
  });
});

// makeBuffer takes names below the home folder
function makeIn(box: Sandbox, path: string, make: Trouble["make"]): void {
  make(path, { ...box, home: dirname(path) });
}

function snapshotTree(folder: string): Record<string, unknown> {
  const folders = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => snapshotTree(join(folder, entry.name)));
  return Object.assign({ [folder]: snapshot(folder) }, ...folders);
}

describe("damage that shows only in the texts", () => {
  test("is one sentence too, and nothing is deleted", async () => {
    await using box = sandbox();
    await sendAll(box, "code", ["x".repeat(60_000), "y".repeat(60_000)]);
    const bytes = readFileSync(box.buffer);
    for (let page = 4; page * 4096 < bytes.length; page++) bytes.fill(0xff, page * 4096, page * 4096 + 64);
    writeFileSync(box.buffer, bytes);
    const got = await box.relay(["get", "--for", "code"]);
    expect(got).toMatchObject({ status: 4, stdout: "" });
    expect(got.stderr).toBe(
      `relay: ${box.buffer} is damaged. relay left it as it is; \`relay doctor --repair\` rebuilds it from what can be read.\n`,
    );
    expect(readFileSync(box.buffer).equals(bytes)).toBe(true);
  });
});

/** A small disk of its own, in a namespace that ends with the sandbox. */
interface Disk {
  folder: string;
  /** Runs a program that sees the disk. */
  run(argv: string[]): Promise<Outcome>;
  argv(argv: string[]): [string, ...string[]];
}

const hasDisks =
  process.platform === "linux" &&
  Bun.spawnSync(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/tmp"]).exitCode === 0 &&
  Bun.spawnSync(["sh", "-c", "command -v nsenter"]).exitCode === 0;

async function mountDisk(box: Sandbox, options: string): Promise<Disk> {
  const folder = join(box.home, "disk");
  mkdirSync(folder);
  const ready = join(box.home, "mounted");
  const script = `mount -t tmpfs -o ${options},mode=0700 tmpfs "$1" && : >"$2" && exec sleep 600`;
  const holder = Bun.spawn(["unshare", "-rm", "sh", "-c", script, "sh", folder, ready], {
    env: box.env,
    stdio: ["ignore", "ignore", "ignore"],
  });
  box.defer(async () => {
    holder.kill("SIGKILL");
    await holder.exited;
  });
  await until("the disk is mounted", () => existsSync(ready));
  const argv = (program: string[]): [string, ...string[]] => [
    "nsenter",
    "--preserve-credentials",
    "-U",
    "-m",
    "-t",
    `${holder.pid}`,
    ...program,
  ];
  const env = { RELAY_DB: join(folder, "buffer.db") };
  return { folder, argv, run: (program) => box.run(argv(program), { env }) };
}

describe.skipIf(!hasDisks)("a disk", () => {
  const text = "x".repeat(20_000);
  const noRoom = (disk: Disk) =>
    `relay: there is no room left on the disk of ${disk.folder}/buffer.db. Free some and try again; nothing was stored.`;
  const fill = (disk: Disk) => disk.run(["sh", "-c", `cat /dev/zero >"${disk.folder}/fill"; true`]);
  const free = (disk: Disk) => disk.run(["rm", join(disk.folder, "fill")]);
  const waiting = async (disk: Disk) => {
    const got = await disk.run([relayBinary, "get", "--for", "code", "--limit", "20", "--peek", "--json"]);
    return JSON.parse(got.stdout).messages.map(({ message }: { message: string }) => message.slice(0, 5));
  };
  const send = (disk: Disk, message: string) => disk.run([relayBinary, "send", "--to", "code", message]);

  test("without room: a send is refused, what was stored stays, and with room everything works", async () => {
    await using box = sandbox();
    const disk = await mountDisk(box, "size=1m");
    const client = new Client({ name: "claude-ai", version: "0.1.0" });
    const [command, ...args] = disk.argv([relayBinary]);
    await client.connect(
      new StdioClientTransport({
        command,
        args,
        env: { ...box.env, RELAY_DB: join(disk.folder, "buffer.db") },
        stderr: "ignore",
      }),
    );
    box.defer(() => client.close());
    const call = (message: string) => client.callTool({ name: "relay_send", arguments: { message } });

    expect((await send(disk, "first")).status).toBe(0);
    expect(await call("other")).not.toHaveProperty("isError");
    await fill(disk);
    for (let n = 0; n < 3; n++) {
      expect(await send(disk, text)).toEqual({ status: 4, stdout: "", stderr: `${noRoom(disk)}\n` });
      expect(await call(text)).toMatchObject({ isError: true, content: [{ text: noRoom(disk) }] });
    }
    expect(await waiting(disk)).toEqual(["first", "other"]);

    await free(disk);
    expect((await send(disk, text)).status).toBe(0);
    expect(await call(`after${text}`)).not.toHaveProperty("isError");
    expect(await waiting(disk)).toEqual(["first", "other", "xxxxx", "after"]);
  });

  test("without room for a new buffer: refused, and with room it is made", async () => {
    await using box = sandbox();
    const disk = await mountDisk(box, "size=64k");
    await fill(disk);
    expect(await send(disk, "first")).toEqual({ status: 4, stdout: "", stderr: `${noRoom(disk)}\n` });
    await free(disk);
    expect((await send(disk, "first")).status).toBe(0);
    expect(await waiting(disk)).toEqual(["first"]);
  });

  test("without room for another file: refused", async () => {
    await using box = sandbox();
    const disk = await mountDisk(box, "size=1m,nr_inodes=1");
    expect(await send(disk, "first")).toEqual({ status: 4, stdout: "", stderr: `${noRoom(disk)}\n` });
  });

  test("that is read-only: refused with a sentence that names the file", async () => {
    await using box = sandbox();
    const disk = await mountDisk(box, "size=1m");
    expect((await send(disk, "first")).status).toBe(0);
    const remount = (mode: string) =>
      disk.run(["mount", "-o", `remount,${mode},size=1m`, "tmpfs", disk.folder]);
    expect(await remount("ro")).toMatchObject({ status: 0 });
    const refused = await send(disk, "second");
    expect(refused).toEqual({ status: 4, stdout: "", stderr: expect.stringMatching(/^relay: [^\n]+\n$/) });
    expect(refused.stderr).toContain(`${disk.folder}/buffer.db`);
    expect(await remount("rw")).toMatchObject({ status: 0 });
    expect((await send(disk, "third")).status).toBe(0);
    expect(await waiting(disk)).toEqual(["first", "third"]);
  });
});

test("a copy of the buffer is a buffer", async () => {
  await using box = sandbox();
  await sendAll(box, "code", ["one"]);
  copyFileSync(box.buffer, join(box.home, "copy"));
  renameSync(join(box.home, "copy"), box.buffer);
  expect((await get(box, "code")).messages).toMatchObject([{ id: 1, message: "one" }]);
});
