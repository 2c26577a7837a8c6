/**
 * The bytes of a SQLite database as pages and rows, read without SQLite, which gives up where one page is damaged.
 * All layouts are from https://sqlite.org/fileformat2.html.
 */
import { type Encoding, readRecord, type StoredValue, varint } from "./sqlite-record.ts";

/** A row of a table, as far as it can be read. */
export interface StoredRow {
  /** `null` if it is none that a message can have. */
  rowid: number | null;
  /** The values from the first one on. */
  values: StoredValue[];
  /** Whether these are all of them. */
  whole: boolean;
}

/** What stands in a page of a table. */
interface TablePage {
  /** The pages below it. */
  children: number[];
  rows: StoredRow[];
  /** How many rows cannot be made out at all. */
  unreadable: number;
}

/** What tells how to read the pages. */
interface Layout {
  pageSize: number;
  /** Bytes at the end of each page that SQLite leaves alone. */
  reserved: number;
  encoding: Encoding;
}

/** A database file by its pages, which are counted from 1. */
export interface SqliteFile {
  pageCount: number;
  /** The pages that hold nothing any more; `null` if the list of them is damaged. */
  freePages(): Set<number> | null;
  /** `null` if it is no page of a table. `known`: it is one, even if its first byte says nothing of the kind. */
  tablePage(page: number, known?: boolean): TablePage | null;
}

const magic = "SQLite format 3\0";
const interior = 5;
const leaf = 13;
const pageKinds = [2, interior, 10, leaf];

/** Whether the file begins like a SQLite database. */
function hasMagic(bytes: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(bytes.subarray(0, magic.length)) === magic;
}

/** The page sizes a file may have, the one that its header tells first. */
export function pageSizes(bytes: Uint8Array): number[] {
  const told = ((bytes[16] ?? 0) << 8) | (bytes[17] ?? 0);
  const all = [4096, 512, 1024, 2048, 8192, 16_384, 32_768, 65_536];
  const first = told === 1 ? 65_536 : told;
  return all.includes(first) ? [first, ...all.filter((size) => size !== first)] : all;
}

/** Reads a file with pages of this size. Nothing that stands in it makes this throw. */
export function sqliteFile(bytes: Uint8Array, pageSize: number): SqliteFile {
  const pageCount = Math.ceil(bytes.length / pageSize);
  const padded = new Uint8Array(pageCount * pageSize);
  padded.set(bytes);
  const layout = { pageSize, reserved: reservedBytes(padded), encoding: encodingOf(padded) };
  const view = new DataView(padded.buffer);
  return {
    pageCount,
    freePages: () => (hasMagic(padded) ? freePages(view, layout, pageCount) : null),
    tablePage: (page, known = false) =>
      page >= 1 && page <= pageCount ? tablePage(view, layout, page, known) : null,
  };
}

// More would leave less room in a page than SQLite allows.
function reservedBytes(bytes: Uint8Array): number {
  const reserved = hasMagic(bytes) ? (bytes[20] ?? 0) : 0;
  return reserved <= 32 ? reserved : 0;
}

function encodingOf(bytes: Uint8Array): Encoding {
  if (!hasMagic(bytes)) return "utf-8";
  return bytes[59] === 2 ? "utf-16le" : bytes[59] === 3 ? "utf-16be" : "utf-8";
}

function freePages(view: DataView, { pageSize, reserved }: Layout, pageCount: number): Set<number> | null {
  const found = new Set<number>();
  if (view.byteLength < 100) return null;
  const isPage = (page: number) => page > 1 && page <= pageCount && !found.has(page);
  for (let trunk = view.getUint32(32); trunk !== 0; ) {
    if (!isPage(trunk)) return null;
    found.add(trunk);
    const start = (trunk - 1) * pageSize;
    const leaves = view.getUint32(start + 4);
    if (leaves > (pageSize - reserved) / 4 - 2) return null;
    for (let index = 0; index < leaves; index++) {
      const page = view.getUint32(start + 8 + 4 * index);
      if (!isPage(page)) return null;
      found.add(page);
    }
    trunk = view.getUint32(start);
  }
  return found.size === view.getUint32(36) ? found : null;
}

function tablePage(view: DataView, layout: Layout, page: number, known: boolean): TablePage | null {
  const start = (page - 1) * layout.pageSize;
  const header = page === 1 ? start + 100 : start;
  const told = view.getUint8(header);
  const kind = known && !pageKinds.includes(told) ? leaf : told;
  if (kind !== leaf && kind !== interior) return null;
  const end = start + layout.pageSize - layout.reserved;
  const pointers = header + (kind === leaf ? 8 : 12);
  const room = Math.floor((end - pointers) / 2);
  const cells = Math.min(view.getUint16(header + 3), room);
  const result: TablePage = { children: [], rows: [], unreadable: 0 };
  for (let index = 0; index < cells; index++) {
    const cell = start + view.getUint16(pointers + 2 * index);
    const fits = cell >= pointers && cell < end - 4;
    if (kind === interior) {
      if (fits) result.children.push(view.getUint32(cell));
      continue;
    }
    const row = fits ? readRow(view, layout, cell, end) : null;
    if (row) result.rows.push(row);
    else result.unreadable += 1;
  }
  if (kind === interior) result.children.push(view.getUint32(header + 8));
  return result;
}

function readRow(view: DataView, layout: Layout, cell: number, end: number): StoredRow | null {
  const [size, afterSize] = varint(view, cell);
  const [rowid, content] = varint(view, afterSize);
  if (size < 1 || size > view.byteLength) return null;
  const local = localBytes(size, layout.pageSize - layout.reserved);
  if (content + local > end) return null;
  const payload = new Uint8Array(size);
  let filled = 0;
  const take = (from: number, length: number) => {
    payload.set(new Uint8Array(view.buffer, from, length), filled);
    filled += length;
  };
  take(content, local);
  const room = layout.pageSize - layout.reserved - 4;
  let next = filled < size ? readPage(view, content + local, end) : 0;
  const pages = view.byteLength / layout.pageSize;
  while (filled < size && next > 1 && next <= pages) {
    const start = (next - 1) * layout.pageSize;
    take(start + 4, Math.min(room, size - filled));
    next = view.getUint32(start);
  }
  const record = readRecord(payload.subarray(0, filled), size, layout.encoding);
  return record && { rowid: rowid > 0 ? rowid : null, ...record };
}

function readPage(view: DataView, place: number, end: number): number {
  return place + 4 <= end ? view.getUint32(place) : 0;
}

/** How many bytes of a payload stand in the leaf itself. */
function localBytes(size: number, usable: number): number {
  const most = usable - 35;
  if (size <= most) return size;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const wanted = least + ((size - least) % (usable - 4));
  return wanted <= most ? wanted : least;
}
