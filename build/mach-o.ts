import type { BinaryFacts } from "./binary-facts.ts";
import { type Bytes, read } from "./bytes.ts";

// <mach-o/loader.h>
const magic64 = 0xfeedfacf;
const executable = 2;
const cpus: Record<number, BinaryFacts["cpu"]> = { 16777223: "x64", 16777228: "arm64" };
const headerBytes = 32;
const required = 0x80000000; // LC_REQ_DYLD
const command = {
  loadDylib: 0xc,
  loadDylinker: 0xe,
  segment64: 0x19,
  codeSignature: 0x1d,
  lazyLoadDylib: 0x20,
  buildVersion: 0x32,
  loadWeakDylib: (0x18 | required) >>> 0,
  rpath: (0x1c | required) >>> 0,
  reexportDylib: (0x1f | required) >>> 0,
  loadUpwardDylib: (0x23 | required) >>> 0,
};
const dylibCommands = [
  command.loadDylib,
  command.lazyLoadDylib,
  command.loadWeakDylib,
  command.reexportDylib,
  command.loadUpwardDylib,
];

/** A part of the file that is mapped as a whole. `command` is the offset of its load command. */
interface Segment {
  command: number;
  offset: number;
  size: number;
}

/** What a Mach-O file says of itself, and where its signature stands. */
export interface MachO extends BinaryFacts {
  text: Segment;
  linkEdit: Segment;
  /** `null` if it is not signed. */
  signature: Segment | null;
}

/** Reads a program of macOS. Throws when it is none for one 64-bit CPU that relay knows. */
export function readMachO(file: Uint8Array): MachO {
  const bytes = read(file);
  const cpu = cpus[bytes.u32(4)];
  if (bytes.u32(0) !== magic64 || bytes.u32(12) !== executable || !cpu)
    throw new Error("it is no Mach-O program for x64 or arm64");
  const commands = loadCommands(bytes);
  const offsets = (...kinds: number[]) =>
    commands.filter(({ kind }) => kinds.includes(kind)).map(({ offset }) => offset);
  const named = (...kinds: number[]) =>
    offsets(...kinds).map((offset) => bytes.text(offset + bytes.u32(offset + 8)));
  const segments = offsets(command.segment64);
  const [version] = offsets(command.buildVersion);
  const [signature] = offsets(command.codeSignature);
  return {
    format: "Mach-O",
    cpu,
    loader: named(command.loadDylinker)[0] ?? null,
    libraries: named(...dylibCommands),
    searchPaths: named(command.rpath),
    oldest: version === undefined ? null : packedVersion(bytes.u32(version + 12)),
    text: segmentOf(bytes, segments, "__TEXT"),
    linkEdit: segmentOf(bytes, segments, "__LINKEDIT"),
    signature:
      signature === undefined
        ? null
        : { command: signature, offset: bytes.u32(signature + 8), size: bytes.u32(signature + 12) },
  };
}

function loadCommands(bytes: Bytes): { kind: number; offset: number }[] {
  let offset = headerBytes;
  return Array.from({ length: bytes.u32(16) }, () => {
    const found = { kind: bytes.u32(offset), offset };
    offset += bytes.u32(offset + 4);
    return found;
  });
}

function segmentOf(bytes: Bytes, commands: number[], name: string): Segment {
  const found = commands.find((offset) => bytes.text(offset + 8) === name);
  if (found === undefined) throw new Error(`it has no segment ${name}`);
  return { command: found, offset: bytes.u64(found + 40), size: bytes.u64(found + 48) };
}

/** 16 bits for the first number of a version, 8 for the second, 8 for a third that is left out here. */
function packedVersion(packed: number): string {
  return `${packed >>> 16}.${(packed >>> 8) & 0xff}`;
}
