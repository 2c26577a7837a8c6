// design.md, "Files and pictures": what a client, a folder and a person get of the files of messages.
import { describe, expect, test } from "bun:test";
import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ContentBlock } from "@modelcontextprotocol/sdk/types.js";
import { hasTerminal, openLab, relayTool } from "./support/claude-lab.ts";
import { openPatiently } from "./support/database.ts";
import { connect } from "./support/peer.ts";
import { plainRows, png, screenshot } from "./support/pictures.ts";
import { get, onTerminal, type Sandbox, sandbox, until } from "./support/sandbox.ts";
import { startSession, toolCall } from "./support/server-process.ts";
import { openTypedSession } from "./support/typing.ts";

const red = png(640, 480, plainRows(640, 480, [200, 40, 40]));
const csv = "a,b\n1,2\n";

function hashOf(content: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(content).digest("hex");
}

/** Sends these files, as the person does. */
async function sendFiles(box: Sandbox, to: "desktop" | "code", files: Record<string, string | Uint8Array>) {
  const args = Object.entries(files).flatMap(([name, content]) => {
    writeFileSync(join(box.home, name), content);
    return ["--file", join(box.home, name)];
  });
  const { status, stderr } = await box.relay(["send", "--to", to, "see these", ...args]);
  expect([status, stderr]).toEqual([0, expect.any(String)]);
}

const desktopClient = { name: "claude-ai", version: "0.1.0" };
const codeClient = { name: "claude-code", version: "2.1.330", env: { CLAUDECODE: "1" } };

async function fetchBlocks(box: Sandbox): Promise<ContentBlock[]> {
  const { client } = await connect(box, desktopClient);
  const { content } = await client.callTool({ name: "relay_fetch", arguments: {} });
  expect(JSON.stringify(content).length).toBeLessThan(1_000_000);
  return content as ContentBlock[];
}

/** The blocks of an answer in words: texts as they are, of pictures the type and the size. */
async function words(blocks: readonly ContentBlock[]): Promise<string[]> {
  return Promise.all(
    blocks.map(async (block) => {
      if (block.type !== "image") return block.type === "text" ? block.text : block.type;
      const { width, height } = await new Bun.Image(Buffer.from(block.data, "base64")).metadata();
      return `${block.mimeType} ${width} x ${height}`;
    }),
  );
}

describe("Claude Desktop", () => {
  test("sees a picture with its pixels, and reads a text", async () => {
    await using box = sandbox();
    await sendFiles(box, "desktop", { "confusion.png": red, "results.csv": csv });
    const blocks = await fetchBlocks(box);
    const [page, ...pictures] = await words(blocks);
    expect(page).toContain(
      `file 1 of message 1: "confusion.png", image/png, ${red.length.toLocaleString("en-US")} bytes, picture 1 below\n`,
    );
    expect(page).toContain(`file 2 of message 1: "results.csv", text/csv, 8 bytes\n${csv}`);
    expect(pictures).toEqual([
      'relay: picture 1, "confusion.png" of message 1, 640 x 480 pixels',
      "image/png 640 x 480",
    ]);
    const shown = blocks.find((block) => block.type === "image");
    const pixels = await new Bun.Image(Buffer.from(shown?.data ?? "", "base64")).png().bytes();
    expect(pixels).toEqual(await new Bun.Image(red).png().bytes());
    expect((await get(box, "desktop")).messages).toEqual([]);
  });

  test("sees pictures with the prompt get, too", async () => {
    await using box = sandbox();
    await sendFiles(box, "desktop", { "a.png": red });
    const { client } = await connect(box, desktopClient);
    const { messages } = await client.getPrompt({ name: "get" });
    const [page, ...pictures] = await words(messages.map(({ content }) => content));
    expect(page).toContain("picture 1 below");
    expect(pictures).toEqual([expect.stringContaining("picture 1"), "image/png 640 x 480"]);
  });

  test("sees eight large pictures in one answer, and is told of one that cannot be shown", async () => {
    await using box = sandbox();
    const shot = await screenshot(2_000, 1_200);
    const files = Array.from({ length: 7 }, (_, n) => [`${n}.png`, shot] as const);
    await sendFiles(box, "desktop", { ...Object.fromEntries(files), "bomb.png": png(60_000, 60_000) });
    const [, ...pictures] = await words(await fetchBlocks(box));
    expect(pictures).toHaveLength(15);
    for (const [index, [name]] of files.entries()) {
      expect(pictures[2 * index]).toBe(`relay: picture ${index + 1}, "${name}" of message 1, 2,000 x 1,200 pixels`);
      expect(pictures[2 * index + 1]).toMatch(/^image\/webp \d{3,4} x \d{3}$/);
    }
    expect(pictures.at(-1)).toBe(
      'relay: picture 8, "bomb.png" of message 1, cannot be shown: 60,000 x 60,000 pixels are too many. The person can have it with: relay save 1',
    );
  });

  test("that takes its request back while a picture is made to fit gets the message the next time", async () => {
    await using box = sandbox();
    await sendFiles(box, "desktop", { "a.png": await screenshot() });
    const server = await startSession(box, { args: ["--client", "desktop"], clientInfo: desktopClient });
    const isLeased = () => {
      using db = openPatiently(box.buffer, { readonly: true });
      return db.query("SELECT 1 FROM messages WHERE leased_at IS NOT NULL").get() !== null;
    };
    server.send(toolCall(1, "relay_fetch"));
    await until("a lease", isLeased);
    server.send({ method: "notifications/cancelled", params: { requestId: 1 } });
    await until("its release", () => !isLeased());
    server.send(toolCall(2, "relay_fetch"));
    expect(JSON.stringify(await server.answer(2))).toContain('{"type":"image"');
    expect(server.lines.filter(({ id }) => id === 1)).toEqual([]);
  });
});

describe("Claude Code", () => {
  test("finds files on its disk, and they go with their messages", async () => {
    await using box = sandbox();
    await sendFiles(box, "code", { "confusion.png": red, "results.csv": csv });
    const code = await connect(box, codeClient);
    const page = await code.fetch();
    const folder = join(box.home, ".relay_files/1");
    expect(page).toContain(`file 1 of message 1: "${folder}/confusion.png", image/png`);
    expect(page).toContain(`file 2 of message 1: "${folder}/results.csv", text/csv, 8 bytes\n${csv}`);
    expect(red.equals(readFileSync(join(folder, "confusion.png")))).toBe(true);
    expect(lstatSync(join(folder, "confusion.png")).mode & 0o777).toBe(0o600);
    await code.call("relay_clear");
    expect(existsSync(join(box.home, ".relay_files"))).toBe(false);
  });

  test("keeps its files when another buffer in the same folder has no such message", async () => {
    await using box = sandbox();
    await sendFiles(box, "code", { "results.csv": csv });
    await (await connect(box, codeClient)).fetch();
    const other = ["--db", join(box.home, "other.db")];
    for (const text of ["1", "2"]) await box.relay(["send", "--to", "code", text, "--file", "results.csv", ...other]);
    const page = await (await connect(box, { ...codeClient, args: ["--client", "code", ...other] })).fetch();
    expect(page).toContain(`"${box.home}/.relay_files-other.db/2/results.csv"`);
    await box.relay(["clear", "--yes", ...other]);
    expect(readdirSync(box.home).filter((name) => name.startsWith(".relay_files"))).toEqual([".relay_files"]);
    expect(readFileSync(join(box.home, ".relay_files/1/results.csv"), "utf8")).toBe(csv);
  });

  test("is told why a file is not on its disk", async () => {
    await using box = sandbox();
    await sendFiles(box, "code", { "results.csv": csv });
    writeFileSync(join(box.home, ".relay_files"), "");
    const page = await (await connect(box, codeClient)).fetch();
    expect(page).toContain(
      `"results.csv", text/csv, 8 bytes, not on the disk: ${box.home}/.relay_files is not a folder of your own. Move it away.\n${csv}`,
    );
  });

  test("gets a typed page of 28,000 characters, with as many texts as fit, and the person sees the names", async () => {
    await using box = sandbox();
    const files = Array.from({ length: 8 }, (_, n) => [`${n}.txt`, `${n}`.repeat(8_000)] as const);
    await sendFiles(box, "code", Object.fromEntries(files));
    const session = openTypedSession(box);
    const { systemMessage } = JSON.parse((await session.hook(session.event())).stdout);
    expect(systemMessage).toEndWith(`\n│ see these\n+ ${files.map(([name]) => name).join(", ")}`);
    const { stdout } = await session.typed();
    expect(stdout.length).toBeLessThanOrEqual(28_001);
    const shown = files.filter(([, text]) => stdout.includes(text)).map(([name]) => name);
    expect(shown).toEqual(["0.txt", "1.txt", "2.txt"]);
    expect(readdirSync(join(box.home, ".relay_files/1"))).toHaveLength(8);
    expect((await session.get("again")).stdout).toContain(`file 8 of message 1: "${box.home}/.relay_files/1/7.txt"`);
  });
});

describe("relay save", () => {
  test("saves the files of a message, and overwrites nothing", async () => {
    await using box = sandbox();
    await sendFiles(box, "code", { "a.csv": csv, "b.png": red });
    writeFileSync(join(box.home, "a.csv"), "mine");
    const { status, stdout } = await box.relay(["save", "1"]);
    expect([status, stdout]).toEqual([
      0,
      [
        `relay: saved ${box.home}/a-2.csv (text/csv, 8 bytes)`,
        `relay: saved ${box.home}/b.png (image/png, ${red.length.toLocaleString("en-US")} bytes)`,
        "",
      ].join("\n"),
    ]);
    expect([readFileSync(join(box.home, "a.csv"), "utf8"), readFileSync(join(box.home, "a-2.csv"), "utf8")]).toEqual([
      "mine",
      csv,
    ]);
    expect(await get(box, "code")).toMatchObject({ messages: [{ files: [{ name: "a.csv", kept: true }, {}] }] });
  });

  test("names what it cannot save", async () => {
    await using box = sandbox();
    await sendFiles(box, "code", { "a.csv": csv, "b.csv": csv, "c.csv": "c" });
    {
      using db = openPatiently(box.buffer);
      db.run("UPDATE relay_files SET content = NULL WHERE position = 0");
      db.run("UPDATE relay_files SET content = x'00' WHERE position = 1");
    }
    const { status, stdout, stderr } = await box.relay(["save", "1", "--to", box.programs]);
    expect([status, stdout, stderr]).toEqual([
      1,
      [
        "relay: not saved: a.csv (text/csv, 8 bytes) is no longer kept, because it made room for other files",
        "relay: not saved: b.csv (application/octet-stream, 8 bytes) is damaged in the buffer",
        `relay: saved ${box.programs}/c.csv (text/csv, 1 bytes)`,
        "",
      ].join("\n"),
      "relay: 2 files of message 1 could not be saved\n",
    ]);
  });

  test.each([
    [["7"], "there is no message 7, here or in the history. See: relay log"],
    [["1"], "message 1 has no files"],
    [[], "missing id of a message. See: relay save --help"],
    [["x"], 'ID is "x"; it must be the id of a message. Pages and `relay log` show ids.'],
    [["1", "--to", "/nowhere"], "/nowhere is not a folder. Create it, or name another one with --to."],
  ])("%j: refused in one sentence", async (args, sentence) => {
    await using box = sandbox();
    await sendFiles(box, "code", {});
    const { stdout, stderr } = await box.relay(["save", ...args]);
    expect([stdout, stderr]).toEqual(["", `relay: ${sentence}\n`]);
  });

  test("is not for a model", async () => {
    await using box = sandbox();
    await sendFiles(box, "code", { "a.csv": csv });
    const { status } = await box.relay(["save", "1", "--to", box.programs], { env: { CLAUDECODE: "1" } });
    expect([status, existsSync(join(box.programs, "a.csv"))]).toEqual([3, false]);
  });
});

describe.skipIf(!Bun.which("script"))("a person at a terminal", () => {
  const show = async (env: Record<string, string> = {}) => {
    await using box = sandbox();
    await sendFiles(box, "code", { "plot.png": red, "results.csv": csv });
    const shown = await onTerminal(box, "show 1", env);
    return shown.replaceAll("\u001b", "ESC").replaceAll("\u0007", "BEL");
  };

  test("sees the names of files, and how to save them", async () => {
    const size = red.length.toLocaleString("en-US");
    const lines = (await show({ NO_COLOR: "1" })).split("\n").slice(1);
    expect(lines).toEqual([
      "│ see these",
      `+ plot.png (image/png, ${size} bytes)`,
      "+ results.csv (text/csv, 8 bytes)",
      "To save them: relay save 1",
      "",
    ]);
  });

  test.each([
    ["kitty", { TERM: "xterm-kitty" }, /ESC_G(?:f=100,a=T,c=80,)?m=[01];([\w+/=]+)ESC\\/g],
    ["iTerm2", { TERM_PROGRAM: "iTerm.app" }, /ESC\]1337;File=inline=1:([\w+/=]+)BEL/g],
  ])("sees the picture, too, in %s", async (_name, env, drawn) => {
    const data = [...(await show(env)).matchAll(drawn)].map(([, part]) => part).join("");
    const picture = new Bun.Image(Buffer.from(data, "base64"));
    expect(await picture.metadata()).toEqual({ width: 640, height: 480, format: "png" });
    expect(await show({ ...env, TMUX: "1" })).not.toMatch(drawn);
  });
});

test("relay log names files", async () => {
  await using box = sandbox();
  await sendFiles(box, "code", { "plot.png": red, "results.csv": csv });
  expect((await box.relay(["log"])).stdout).toEndWith("+ plot.png, results.csv · see these\n");
});

test.skipIf(!hasTerminal)("the real Claude Code sends a plot by name, and reads what comes back", async () => {
  await using box = sandbox();
  const prompt = "Please send the plot";
  const call = (name: string, input: Record<string, unknown>) => ({ call: { name, input } });
  const back = (name: string) => join(box.home, ".relay_files/2", name);
  const lab = openLab(box, {
    prompt,
    replies: [
      call(relayTool("setup", "relay_send"), { message: "see the plot", files: ["confusion.png"] }),
      { text: "answer one" },
      call("Read", { file_path: back("better.png") }),
      call("Read", { file_path: back("results.csv") }),
      { text: "answer two" },
    ],
  });
  writeFileSync(join(box.home, "project/confusion.png"), red);
  const terminal = await lab.terminal(["--permission-mode", "manual"]);
  await terminal.enter(prompt);
  await terminal.shows("answer one");
  const [, , picture] = await fetchBlocks(box);
  expect(picture).toMatchObject({ type: "image", mimeType: "image/png" });
  const pixels = (bytes: Uint8Array) => new Bun.Image(bytes).png().bytes();
  const { data } = picture as { data: string };
  expect(await pixels(Buffer.from(data, "base64"))).toEqual(await pixels(red));

  await sendFiles(box, "code", { "better.png": red, "results.csv": `zebra,3\n${csv.repeat(1_100)}` });
  await terminal.enter("/get");
  await terminal.shows("answer two");
  expect(terminal.screen()).toContain("+ better.png, results.csv");
  expect(hashOf(readFileSync(back("better.png")))).toBe(hashOf(red));
  const last = JSON.stringify(lab.api.shown.at(-1)?.messages);
  expect(last).toContain(`file 1 of message 2: \\"${back("better.png")}\\", image/png`);
  expect(last).toContain('"type":"image"');
  expect(last).toContain("zebra,3");
  expect(lab.api.shown).toHaveLength(5); // no question stopped it
});
