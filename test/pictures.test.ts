// design.md, "Files and pictures": a picture is shown or named, whatever its bytes are, in bounded time and memory.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { safeFileNames } from "../src/core/file-name.ts";
import { isPictureType, isTextType, mediaTypeOf } from "../src/core/media-type.ts";
import { fitPicture, type Picture } from "../src/server/fitted-picture.ts";
import { assertFor } from "./support/bent.ts";
import { chunk, manyScans, plainRows, png, screenshot } from "./support/pictures.ts";
import { relayBinary } from "./support/sandbox.ts";

// FUZZ_SECONDS=600 looks further
const seconds = Number(Bun.env.FUZZ_SECONDS ?? 5);

const most = 1_000_000;

/** What `relay picture` makes of a file, in how many milliseconds of the processor and bytes of memory. */
async function fit(bytes: Uint8Array, characters = most, ...flags: string[]) {
  const child = Bun.spawn([relayBinary, "picture", String(characters), ...flags], {
    env: {},
    stdin: bytes,
    stdout: "pipe",
    stderr: "pipe",
  });
  let memory = 0;
  const watch = setInterval(() => {
    memory = memoryOf(child.pid) ?? memory;
  }, 2);
  const [output, errors] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  clearInterval(watch);
  expect([await child.exited, errors]).toEqual([0, ""]);
  const result: Partial<Picture> & { reason?: string } = JSON.parse(output);
  const cpuMs = Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1_000;
  return { ...result, cpuMs, memory };
}

// What wait4(2) tells also counts this process, from which the other one was forked.
function memoryOf(pid: number): number | null {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return kilobytes === undefined ? null : Number(kilobytes) * 1_024;
  } catch {
    return null; // it has ended
  }
}

async function sizeOf({ data = "" }: Partial<Picture>) {
  const { width, height, format } = await new Bun.Image(Buffer.from(data, "base64")).metadata();
  return [width, height, format];
}

const flat = png(1600, 1060, plainRows(1600, 1060, [200, 40, 40]));
const small = png(64, 48, plainRows(64, 48, [1, 2, 3]));
const encoded = async (format: "jpeg" | "webp") => new Bun.Image(flat)[format]().bytes();
const gif = Buffer.from("GIF89a\x01\0\x01\0\x80\0\0\xff\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;", "latin1");
const bmp = Buffer.concat([
  Buffer.from("424d3a0000000000000036000000280000000100000001000000010018000000000004000000", "hex"),
  Buffer.alloc(16),
  Buffer.from([1, 2, 3, 0]),
]);

test("a picture is made to fit, and a small one keeps each pixel", async () => {
  const cases: [bytes: Uint8Array, original: [number, number], shown: unknown[]][] = [
    [flat, [1600, 1060], [1568, 1039, "webp"]],
    [await encoded("jpeg"), [1600, 1060], [1568, 1039, "webp"]],
    [await encoded("webp"), [1600, 1060], [1568, 1039, "webp"]],
    [small, [64, 48], [64, 48, "png"]],
    [gif, [1, 1], [1, 1, "png"]],
    [bmp, [1, 1], [1, 1, "png"]],
    [png(1, 1, plainRows(1, 1), [chunk("tEXt", new Uint8Array(8_000_000).fill(65))]), [1, 1], [1, 1, "png"]],
    [Buffer.concat([small, Buffer.from("PK\x03\x04 and an archive after it")]), [64, 48], [64, 48, "png"]],
  ];
  for (const [bytes, [width, height], shown] of cases) {
    const fitted = await fit(bytes);
    expect(fitted).toMatchObject({ width, height, type: `image/${shown[2]}` });
    expect<unknown[]>(await sizeOf(fitted)).toEqual(shown);
  }
  const pixels = await new Bun.Image(Buffer.from((await fit(small)).data ?? "", "base64")).png().bytes();
  expect(pixels).toEqual(await new Bun.Image(small).png().bytes());
});

test("a screenshot of 4K fits within 400 ms, and also into a small share of the page", async () => {
  const shot = await screenshot();
  for (const [characters, flags, format] of [
    [most, [], "webp"],
    [90_000, [], "webp"],
    [90_000, ["--png"], "png"],
  ] as const) {
    const fitted = await fit(shot, characters, ...flags);
    const [width = 0, , shown] = await sizeOf(fitted);
    expect(fitted.data?.length).toBeLessThanOrEqual(characters);
    expect([shown, Number(width) > 200]).toEqual([format, true]);
    // on a machine that does nothing else, its time is that of its processor
    if (characters === most) expect(fitted.cpuMs).toBeLessThan(400);
  }
});

test("a hostile picture is named, and costs two seconds and 300 MB at most", async () => {
  const bomb = deflateSync(new Uint8Array(60_000_000));
  const texts = Array<Buffer>(100).fill(chunk("zTXt", Buffer.concat([Buffer.from("x\0\0"), bomb])));
  const jpeg = Buffer.from(await encoded("jpeg"));
  const cases: [bytes: Uint8Array, reason: string | undefined][] = [
    [png(60_000, 60_000), "60,000 x 60,000 pixels are too many"],
    [png(5_900, 5_900), "it is damaged"],
    [png(10, 10, plainRows(10, 10), texts), "it takes too much memory"],
    [await manyScans(5_900, 20_000), "it takes over 2 seconds"],
    [jpeg.subarray(0, 10), "it is damaged"],
    [jpeg.subarray(0, jpeg.length / 2), undefined],
    [flat.subarray(0, flat.length / 2), "it is damaged"],
    [Buffer.from("<svg/>"), "it is damaged"],
    [new Uint8Array(), "it is damaged"],
  ];
  for (const [bytes, reason] of cases) {
    const fitted = await fit(bytes);
    expect(fitted.reason).toBe(reason);
    expect(fitted.cpuMs).toBeLessThan(2_500);
    expect(fitted.memory).toBeLessThan(400_000_000);
  }
  expect((await fit(await screenshot(), 100)).reason).toBe("it does not fit beside the others");
});

test("no bytes, names or pictures are beyond it", async () => {
  const pictures = [small, flat, gif, bmp, await encoded("jpeg"), await encoded("webp")];
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc
      .tuple(fc.constantFrom(...pictures), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }), fc.nat(4))
      .map(([picture, changes, cut]) => {
        const bent = Uint8Array.from(picture);
        // most of what matters stands at the beginning
        for (const [place, byte] of changes) bent[place % (place % 3 === 0 ? bent.length : 64)] = byte;
        return cut === 0 ? bent.subarray(0, bent.length >> 1) : bent;
      }),
  );
  const odd = [
    "\u001b[",
    "31m",
    "..",
    "-",
    " ",
    "@",
    "ultra",
    "think",
    "con",
    "/",
    "\\",
    "\ud83d",
    "\u200d",
    "e\u0301",
    "\n",
  ];
  const piece = fc.oneof(
    fc.constantFrom(...odd, "👩", ".png", "ü".repeat(30)),
    fc.string({ unit: "binary", maxLength: 3 }),
  );
  const name = fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join(""));
  const property = fc.asyncProperty(bytes, fc.array(name, { maxLength: 8 }), async (content, names) => {
    const safe = safeFileNames(names);
    for (const one of safe) {
      expect(one).toMatch(/^(?![-. ])[^/\\\p{Cc}\p{Bidi_Control}<>:"|?*]+(?<![. ])$/u);
      expect(Buffer.byteLength(one)).toBeLessThanOrEqual(120);
      expect(safeFileNames([one])).toEqual([one]);
    }
    expect(new Set(safe.map((one) => one.normalize("NFC").toLowerCase())).size).toBe(names.length);
    const type = mediaTypeOf(content, names[0] ?? "");
    expect(type).toMatch(/^[a-z]+\/[a-z0-9.+-]+$/);
    expect(isPictureType(type) && isTextType(type)).toBe(false);
    if (!isPictureType(type)) return;
    const fitted = await fitPicture(content, 20_000).catch((error) => error);
    if (fitted instanceof Error) expect(fitted.name).toBe("RelayError");
    else expect(await sizeOf(fitted)).toContainEqual(expect.stringMatching(/^(png|webp)$/));
  });
  await assertFor(seconds, property);
});
