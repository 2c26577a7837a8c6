// Draws relay's icon, for the bundle and the plugin: bun build/icon.ts FILE. Whoever changes it commits the file anew.
import { deflateSync } from "node:zlib";
import { crc32 } from "./zip-archive.ts";

const size = 512;

type Colour = readonly [number, number, number];

const ground: readonly [Colour, Colour] = [
  [36, 49, 84],
  [18, 24, 46],
];
const warm: Colour = [240, 150, 104];
const cool: Colour = [126, 196, 232];

/** How far a point is from a rounded box around a centre; negative inside. In pixels. */
function box(x: number, y: number, halfWidth: number, halfHeight: number, radius: number): number {
  const [dx, dy] = [Math.abs(x) - halfWidth + radius, Math.abs(y) - halfHeight + radius];
  return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - radius;
}

/** How far a point is from a line of some thickness with round ends. */
function stroke(x: number, y: number, from: [number, number], to: [number, number], thick: number): number {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const along = ((x - from[0]) * dx + (y - from[1]) * dy) / (dx * dx + dy * dy);
  const t = Math.min(1, Math.max(0, along));
  return Math.hypot(x - from[0] - t * dx, y - from[1] - t * dy) - thick / 2;
}

/** An arrow that points to the right, `length` long, with its middle at the origin. */
function arrow(x: number, y: number): number {
  const tip = 118;
  const head = 62;
  return Math.min(
    stroke(x, y, [-tip, 0], [tip, 0], 40),
    stroke(x, y, [tip - head, -head], [tip, 0], 40),
    stroke(x, y, [tip - head, head], [tip, 0], 40),
  );
}

function blend(below: Colour, above: Colour, amount: number): Colour {
  const mix = (index: 0 | 1 | 2) => below[index] + (above[index] - below[index]) * amount;
  return [mix(0), mix(1), mix(2)];
}

// one pixel of transition at every edge
const cover = (distance: number) => Math.min(1, Math.max(0, 0.5 - distance));

function pixel(column: number, row: number): [number, number, number, number] {
  const [x, y] = [column + 0.5 - size / 2, row + 0.5 - size / 2];
  const base = blend(ground[0], ground[1], row / size);
  const sent = blend(base, warm, cover(arrow(x - 6, y + 84)));
  const both = blend(sent, cool, cover(arrow(-x - 6, y - 84)));
  const [red, green, blue] = both.map(Math.round) as [number, number, number];
  return [red, green, blue, Math.round(255 * cover(box(x, y, 248, 248, 112)))];
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const frame = Buffer.alloc(4);
  frame.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([frame, body, sum]);
}

/** The icon as a PNG of 512 by 512 pixels with transparency. */
function drawIcon(): Buffer {
  const rows: Buffer[] = [];
  for (let row = 0; row < size; row++) {
    const pixels = Array.from({ length: size }, (_, column) => pixel(column, row)).flat();
    rows.push(Buffer.from([0, ...pixels]));
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 6, 0, 0, 0], 8); // 8 bits a channel, RGBA
  return Buffer.concat([
    Buffer.from("89504e470d0a1a0a", "hex"),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.concat(rows), { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

await Bun.write(process.argv[2] ?? "icon.png", drawIcon());
