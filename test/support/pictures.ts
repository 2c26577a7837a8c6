import { deflateSync } from "node:zlib";

/** A part of a PNG. */
export function chunk(type: string, data: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type), data]);
  return Buffer.concat([number(data.length), named, number(Bun.hash.crc32(named))]);
}

/** A PNG that claims this size: of these rows of RGB if there are any, else of nothing. `extra` stands before its pixels. */
export function png(
  width: number,
  height: number,
  rows: Uint8Array = new Uint8Array(),
  extra: Uint8Array[] = [],
): Buffer {
  const header = Buffer.concat([number(width), number(height), Buffer.from([8, 2, 0, 0, 0])]);
  const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  const parts = [chunk("IHDR", header), ...extra, chunk("IDAT", deflateSync(rows)), chunk("IEND", new Uint8Array())];
  return Buffer.concat([signature, ...parts]);
}

/** The rows of a PNG of one colour. */
export function plainRows(width: number, height: number, [red, green, blue] = [0, 0, 0]): Buffer {
  const row = Buffer.alloc(1 + width * 3);
  for (let x = 0; x < width; x += 1) row.set([red, green, blue], 1 + x * 3);
  return Buffer.concat(Array.from({ length: height }, () => row));
}

/** A PNG as large as a screen of 4K: lines of text, and a photograph in a corner. */
export async function screenshot(width = 3840, height = 2160): Promise<Uint8Array> {
  const rows = Buffer.alloc((1 + width * 3) * height);
  for (let y = 0, at = 0; y < height; y += 1) {
    at += 1;
    for (let x = 0; x < width; x += 1, at += 3) {
      const isPhoto = x > width * 0.7 && y > height * 0.6;
      const isInk =
        !isPhoto &&
        y % 24 < 16 &&
        (((x >> 1) * 2_654_435_761 + (y >> 1) * 40_503 + (x / 10) * (y / 24)) >> 9) % 5 === 0;
      rows.fill(isInk ? 220 : 30, at, at + 3);
      if (isPhoto) rows.set([(x / 8) & 255, (y / 8) & 255, (x * y) & 63], at);
    }
  }
  return png(width, height, rows);
}

/** A progressive JPEG whose last scan comes so many times more, each of which has every block decoded once more. */
export async function manyScans(side: number, times: number): Promise<Buffer> {
  const encoded = await new Bun.Image(png(side, side, plainRows(side, side))).jpeg({ progressive: true }).bytes();
  const jpeg = Buffer.from(encoded);
  const end = jpeg.length - 2;
  const scan = jpeg.subarray(jpeg.lastIndexOf(Buffer.from([0xff, 0xc4])), end);
  return Buffer.concat([jpeg.subarray(0, end), ...Array<Buffer>(times).fill(scan), jpeg.subarray(end)]);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
