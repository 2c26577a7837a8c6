import { type ZipOptions, zipSync } from "fflate";

/** A file in an archive. */
export interface ZipEntry {
  /** The path in the archive, with forward slashes. */
  path: string;
  data: Uint8Array;
  /** Unix permissions: 0o755 for a program, 0o644 for a document. */
  mode: 0o755 | 0o644;
}

const regularFile = 0o100000;
const unix = 3;

/** A zip archive of these files, in this order. The same files make the same bytes, everywhere and at any time. */
export function zip(entries: readonly ZipEntry[]): Uint8Array {
  // The earliest time of the format, which has no time zone; fflate takes the local one.
  const mtime = new Date(1980, 0, 1);
  const files = entries.map(({ path, data, mode }): [string, [Uint8Array, ZipOptions]] => {
    const attrs = ((regularFile | mode) << 16) >>> 0;
    return [path, [data, { os: unix, attrs, mtime }]];
  });
  return zipSync(Object.fromEntries(files));
}
