import type { BinaryFacts } from "./binary-facts.ts";
import { type Bytes, read } from "./bytes.ts";

// elf(5), and the System V ABI's chapters "Program Header" and "Dynamic Section"
const cpus: Record<number, BinaryFacts["cpu"]> = { 62: "x64", 183: "arm64" };
const programHeaderBytes = 56;
const load = 1;
const dynamic = 2;
const interpreter = 3;
const tag = {
  end: 0,
  needed: 1,
  stringTable: 5,
  rpath: 15,
  runpath: 29,
  versionNeed: 0x6ffffffe,
  versionNeedCount: 0x6fffffff,
};

interface ProgramHeader {
  type: number;
  offset: number;
  address: number;
  size: number;
}

/** Reads an executable of Linux. Throws when it is none for a 64-bit little-endian CPU that relay knows. */
export function readElf(file: Uint8Array): BinaryFacts {
  const bytes = read(file);
  const cpu = cpus[bytes.u16(18)];
  if (bytes.u32BigEndian(0) !== 0x7f454c46 || bytes.u16(4) !== 0x0102 || !cpu)
    throw new Error("it is no ELF file for x64 or arm64");
  const headers = programHeaders(bytes);
  const first = (type: number) => headers.find((header) => header.type === type);
  const loader = first(interpreter);
  const entries = dynamicEntries(bytes, first(dynamic));
  const at = (address: number) => fileOffset(headers, address);
  const strings = at(numberOf(entries, tag.stringTable));
  const named = (kind: number) =>
    entries.filter(([entry]) => entry === kind).map(([, value]) => bytes.text(strings + value));
  return {
    format: "ELF",
    cpu,
    loader: loader ? bytes.text(loader.offset) : null,
    libraries: named(tag.needed),
    searchPaths: [...named(tag.rpath), ...named(tag.runpath)],
    oldest: newestGlibc(neededVersions(bytes, entries, at, strings)),
  };
}

function programHeaders(bytes: Bytes): ProgramHeader[] {
  const start = bytes.u64(32);
  return Array.from({ length: bytes.u16(56) }, (_, index) => {
    const offset = start + index * programHeaderBytes;
    return {
      type: bytes.u32(offset),
      offset: bytes.u64(offset + 8),
      address: bytes.u64(offset + 16),
      size: bytes.u64(offset + 32),
    };
  });
}

type Entry = [tag: number, value: number];

function dynamicEntries(bytes: Bytes, header: ProgramHeader | undefined): Entry[] {
  if (!header) throw new Error("it has no dynamic section");
  const entries: Entry[] = [];
  for (let offset = header.offset; bytes.u64(offset) !== tag.end; offset += 16)
    entries.push([bytes.u64(offset), bytes.u64(offset + 8)]);
  return entries;
}

function numberOf(entries: Entry[], kind: number): number {
  return entries.find(([entry]) => entry === kind)?.[1] ?? 0;
}

function fileOffset(headers: ProgramHeader[], address: number): number {
  const holds = ({ type, address: start, size }: ProgramHeader) =>
    type === load && address >= start && address < start + size;
  const header = headers.find(holds);
  if (!header) throw new Error(`the address ${address} is nowhere in the file`);
  return address - header.address + header.offset;
}

/** The versions of symbols that the loader has to find, such as `GLIBC_2.17`. */
function neededVersions(
  bytes: Bytes,
  entries: Entry[],
  at: (address: number) => number,
  strings: number,
): string[] {
  const versions: string[] = [];
  const count = numberOf(entries, tag.versionNeedCount);
  let need = count > 0 ? at(numberOf(entries, tag.versionNeed)) : 0;
  for (let library = 0; library < count; library++) {
    let auxiliary = need + bytes.u32(need + 8);
    for (let left = bytes.u16(need + 2); left > 0; left--) {
      versions.push(bytes.text(strings + bytes.u32(auxiliary + 8)));
      auxiliary += bytes.u32(auxiliary + 12);
    }
    need += bytes.u32(need + 12);
  }
  return versions;
}

function newestGlibc(versions: string[]): string | null {
  const numbers = versions.flatMap((version) => /^GLIBC_(\d+(?:\.\d+)*)$/.exec(version)?.[1] ?? []);
  return numbers.sort((one, other) => one.localeCompare(other, "en", { numeric: true })).at(-1) ?? null;
}
