import { promisify } from "node:util";
import { deflateRaw, crc32 as zlibCrc32 } from "node:zlib";

/** A file in an archive. */
export interface ZipEntry {
  /** Its path there, with forward slashes. */
  path: string;
  data: Uint8Array;
  /** Unix permissions: 0o755 for what is run, 0o644 for what is read. */
  mode: 0o755 | 0o644;
}

const deflate = promisify(deflateRaw);

const headerVersion = 20; // 2.0: deflate
const madeByUnix = (3 << 8) | headerVersion;
const utf8Names = 1 << 11;
const deflated = 8;
const regularFile = 0o100000;
// 1 January 1980, the first moment that the format knows: the same input makes the same bytes.
const firstDay = (1 << 5) | 1;

/**
 * A zip archive of these files, in this order (APPNOTE.TXT 6.3.10, without zip64). Two calls with the same arguments
 * answer the same bytes. `level` is zlib's, 9 if left out. Throws for a file or an archive of 4 GB.
 */
export async function zip(entries: readonly ZipEntry[], level = 9): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  const packed = await Promise.all(entries.map(({ data }) => deflate(data, { level })));
  for (const [index, entry] of entries.entries()) {
    const body = packed[index] ?? Buffer.alloc(0);
    const name = Buffer.from(entry.path, "utf8");
    const common = commonFields(entry, body, name);
    const local = Buffer.concat([signature(0x04034b50), common, name]);
    parts.push(local, body);
    directory.push(Buffer.concat([signature(0x02014b50), centralFields(entry, common, offset), name]));
    offset += local.length + body.length;
  }
  const central = Buffer.concat(directory);
  return Buffer.concat([...parts, central, endOfDirectory(entries.length, central.length, offset)]);
}

/** The checksum that zip and PNG use. */
export function crc32(data: Uint8Array): number {
  return zlibCrc32(data);
}

/** What the header before a file and its entry in the directory have in common. */
function commonFields({ data }: ZipEntry, body: Uint8Array, name: Uint8Array): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(headerVersion, 0);
  fields.writeUInt16LE(utf8Names, 2);
  fields.writeUInt16LE(deflated, 4);
  fields.writeUInt16LE(firstDay, 8);
  fields.writeUInt32LE(crc32(data), 10);
  fields.writeUInt32LE(body.length, 14);
  fields.writeUInt32LE(data.length, 18);
  fields.writeUInt16LE(name.length, 22);
  return fields;
}

function centralFields({ mode }: ZipEntry, common: Uint8Array, offset: number): Buffer {
  const before = Buffer.alloc(2);
  before.writeUInt16LE(madeByUnix, 0);
  const after = Buffer.alloc(14); // no comment, first disk, no internal attributes
  after.writeUInt32LE(((regularFile | mode) << 16) >>> 0, 6);
  after.writeUInt32LE(offset, 10);
  return Buffer.concat([before, common, after]);
}

function endOfDirectory(count: number, length: number, offset: number): Buffer {
  const fields = Buffer.alloc(22);
  fields.set(signature(0x06054b50), 0);
  fields.writeUInt16LE(count, 8);
  fields.writeUInt16LE(count, 10);
  fields.writeUInt32LE(length, 12);
  fields.writeUInt32LE(offset, 16);
  return fields;
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
