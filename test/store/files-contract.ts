// What every store promises of files.
import { expect, test } from "bun:test";
import type { Attachment, NewAttachment } from "../../src/core/attachment.ts";
import { Fixture, type MakeBuffer, numbers, request } from "./fixture.ts";

const megabytes8 = 8 * 1024 * 1024;

function file(name: string, content: Uint8Array = Buffer.from(name)): NewAttachment {
  const sha256 = new Bun.CryptoHasher("sha256").update(content).digest("hex");
  return { name, type: "text/plain", size: content.length, sha256, content };
}

const big = [file("one", new Uint8Array(megabytes8)), file("two", new Uint8Array(megabytes8).fill(1))];

/** Sends one message with these files. */
function send(t: Fixture, files: NewAttachment[]): Promise<{ id: number }> {
  return t.one.append({ sender: "desktop", message: "x", notify: "never", files });
}

function listed({ name, type, size, sha256 }: Attachment, kept = true) {
  return { name, type, size, sha256, kept };
}

/** The ids of messages whose files still have their contents, and of those whose have not. */
async function kept(t: Fixture): Promise<{ kept: number[]; gone: number[] }> {
  const messages = (await t.two.log({ limit: 100 })).filter(({ files }) => files.length > 0);
  for (const { id, files } of messages) {
    const contents = (await t.two.readFiles(id)).map(({ content }) => content !== null);
    expect(contents).toEqual(files.map((each) => each.kept));
  }
  const ids = (isKept: boolean) =>
    messages.filter(({ files }) => files.every((each) => each.kept === isKept)).map(({ id }) => id);
  return { kept: ids(true), gone: ids(false) };
}

/** Registers the tests of files. */
export function describeFiles(make: MakeBuffer): void {
  test("come with their message, in order, byte for byte", async () => {
    await using t = new Fixture(make);
    const files = [file("b\u0000\u202e.txt"), file("a"), file("a", new Uint8Array()), file("é", Buffer.from([0, 255]))];
    await send(t, files);
    await t.send("desktop", "alone");
    const list = [files.map((each) => listed(each)), []];
    expect((await t.two.peek(request())).messages.map((message) => message.files)).toEqual(list);
    expect((await t.two.find([1, 2])).map((message) => message.files)).toEqual(list);
    expect((await t.two.log({ limit: 9 })).map((message) => message.files)).toEqual(list);
    expect(await t.two.readFiles(1)).toEqual(files.map((each) => ({ ...each, content: new Uint8Array(each.content) })));
    expect([await t.two.readFiles(2), await t.two.readFiles(9)]).toEqual([[], []]);
  });

  test("follow their message into the history, and go with a clear", async () => {
    await using t = new Fixture(make);
    await send(t, [file("a")]);
    await t.send("desktop", ...numbers(2, 21));
    const [first] = await t.two.log({ limit: 100 });
    expect(first).toMatchObject({ id: 1, left: true, files: [listed(file("a"))] });
    expect(await t.two.readFiles(1)).toHaveLength(1);
    await t.one.clear("code");
    expect(await t.two.readFiles(1)).toEqual([]);
    await send(t, [file("b")]);
    expect((await t.two.readFiles(22)).map(({ name }) => name)).toEqual(["b"]);
  });

  test("take room on Desktop's page as texts, also from what was read before", async () => {
    await using t = new Fixture(make);
    for (let id = 1; id <= 3; id++) {
      const files = [file("log.txt", new Uint8Array(40_000))];
      await t.one.append({ sender: "code", message: "x", notify: "never", files });
      const { messages } = await t.read({ reader: "desktop", includeRead: true });
      expect(messages.map((message) => message.id)).toEqual([id]);
    }
  });

  test("make room at 64 MB: those of the oldest read messages first, of what waits never", async () => {
    await using t = new Fixture(make);
    for (let n = 1; n <= 4; n++) await send(t, big);
    await expect(send(t, big)).rejects.toThrow("the files that wait unread leave no room in the 64 MB");
    expect(await kept(t)).toEqual({ kept: [1, 2, 3, 4], gone: [] });
    await t.read({ limit: 2 });
    await send(t, [file("small")]);
    expect(await kept(t)).toEqual({ kept: [2, 3, 4, 5], gone: [1] });
    const files = await t.two.readFiles(1);
    expect(files).toEqual(big.map(({ name, type, size, sha256 }) => ({ name, type, size, sha256, content: null })));
    await send(t, big.slice(1));
    expect(await kept(t)).toEqual({ kept: [2, 3, 4, 5, 6], gone: [1] });
  });

  test("make room also if they left the window unread", async () => {
    await using t = new Fixture(make);
    await send(t, big);
    await t.send("desktop", ...numbers(2, 17));
    for (let n = 18; n <= 20; n++) await send(t, big);
    await send(t, big); // 1 leaves the window for it
    expect(await kept(t)).toEqual({ kept: [18, 19, 20, 21], gone: [1] });
  });
}
