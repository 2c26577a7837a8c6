import type { BinaryFacts } from "./binary-facts.ts";
import { type Bytes, read } from "./bytes.ts";

// "PE Format", learn.microsoft.com/windows/win32/debug/pe-format
const cpus: Record<number, BinaryFacts["cpu"]> = { 34404: "x64", 43620: "arm64" };
const pe32Plus = 0x20b;
const consoleSubsystem = 3;
const sectionBytes = 40;
const importDirectory = { index: 1, entryBytes: 20, nameOffset: 12 };
const delayImportDirectory = { index: 13, entryBytes: 32, nameOffset: 4 };

/**
 * Reads a program of Windows. Its libraries are those that it imports at its start or later (delay-loaded). Throws when
 * it is no 64-bit console program for a CPU that relay knows.
 */
export function readPe(file: Uint8Array): BinaryFacts {
  const bytes = read(file);
  const header = bytes.u32(0x3c);
  const cpu = cpus[bytes.u16(header + 4)];
  const optional = header + 24;
  if (bytes.u32BigEndian(header) !== 0x50450000 || bytes.u16(optional) !== pe32Plus || !cpu)
    throw new Error("it is no PE file for x64 or arm64");
  if (bytes.u16(optional + 68) !== consoleSubsystem) throw new Error("it is no console program");
  const sections = optional + bytes.u16(header + 20);
  const count = bytes.u16(header + 6);
  const at = (address: number) => fileOffset(bytes, sections, count, address);
  const imported = [importDirectory, delayImportDirectory].flatMap((directory) =>
    importsOf(bytes, optional, directory, at),
  );
  return {
    format: "PE",
    cpu,
    loader: null,
    libraries: imported.map((name) => name.toLowerCase()),
    searchPaths: [],
    oldest: null,
  };
}

function fileOffset(bytes: Bytes, sections: number, count: number, address: number): number {
  for (let index = 0; index < count; index++) {
    const section = sections + index * sectionBytes;
    const start = bytes.u32(section + 12);
    if (address >= start && address < start + bytes.u32(section + 16))
      return address - start + bytes.u32(section + 20);
  }
  throw new Error(`the address ${address} is nowhere in the file`);
}

function importsOf(
  bytes: Bytes,
  optional: number,
  { index, entryBytes, nameOffset }: typeof importDirectory,
  at: (address: number) => number,
): string[] {
  const address = bytes.u32(optional + 112 + index * 8);
  const names: string[] = [];
  if (address === 0) return names;
  // the last entry is all zeros
  for (let entry = at(address); bytes.u32(entry + nameOffset) !== 0; entry += entryBytes)
    names.push(bytes.text(at(bytes.u32(entry + nameOffset))));
  return names;
}
