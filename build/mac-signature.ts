import { createHash } from "node:crypto";

// <mach-o/loader.h>
const machO64 = 0xfeedfacf;
const headerBytes = 32;
const segmentCommand = 0x19;
const signatureCommand = 0x1d;

// XNU's <kern/cs_blobs.h>. The numbers of a signature are big-endian on every CPU.
const superBlobMagic = 0xfade0cc0;
const codeDirectoryMagic = 0xfade0c02;
const codeDirectorySlot = 0;
const codeDirectoryVersion = 0x20400; // the first that describes the executable segment
const codeDirectoryBytes = 88;
const superBlobBytes = 20; // with the index of one blob
const adHocByLinker = 0x20002;
const mainBinary = 1n;
const sha256 = { type: 2, bytes: 32 };
const pageShift = 12;
const pageBytes = 1 << pageShift;

/**
 * A copy of a Mach-O program with a new ad-hoc signature: a code directory with the SHA-256 of each page, as linkers make
 * it. Throws for anything but a 64-bit program with a signature at its end.
 */
export function signAdHoc(file: Uint8Array, identifier: string): Uint8Array {
  const { text, linkEdit, signature } = readLoadCommands(viewOf(file));
  const { offset: codeBytes, size: oldSize } = signature;
  if (codeBytes + oldSize !== file.length) throw new Error("its signature is not at its end");
  const pages = Math.ceil(codeBytes / pageBytes);
  const size = superBlobBytes + codeDirectoryBytes + identifier.length + 1 /* NUL */ + pages * sha256.bytes;
  const signed = new Uint8Array(codeBytes + size);
  signed.set(file.subarray(0, codeBytes));

  const view = viewOf(signed);
  view.setUint32(signature.command + 12, size, true);
  const linkEditBytes = signed.length - linkEdit.offset;
  if (linkEditBytes > Number(view.getBigUint64(linkEdit.command + 32, true))) {
    const mapped = Math.ceil(linkEditBytes / pageBytes) * pageBytes;
    view.setBigUint64(linkEdit.command + 32, BigInt(mapped), true);
  }
  view.setBigUint64(linkEdit.command + 48, BigInt(linkEditBytes), true);
  // The first page has the load commands, so the pages are hashed after them.
  writeSignature(signed, codeBytes, identifier, text);
  return signed;
}

/** A part of the file; `command` is the offset of the load command that describes it. */
interface Part {
  command: number;
  offset: number;
  size: number;
}

function readLoadCommands(view: DataView): { text: Part; linkEdit: Part; signature: Part } {
  if (view.getUint32(0, true) !== machO64) throw new Error("it is not a 64-bit Mach-O program");
  const parts = new Map<string, Part>();
  let command = headerBytes;
  for (let count = view.getUint32(16, true); count > 0; count--) {
    const kind = view.getUint32(command, true);
    const long = (at: number) => Number(view.getBigUint64(command + at, true));
    if (kind === segmentCommand) parts.set(segmentName(view, command), { command, offset: long(40), size: long(48) });
    if (kind === signatureCommand) {
      const [offset, size] = [view.getUint32(command + 8, true), view.getUint32(command + 12, true)];
      parts.set("signature", { command, offset, size });
    }
    command += view.getUint32(command + 4, true);
  }
  const [text, linkEdit, signature] = ["__TEXT", "__LINKEDIT", "signature"].map((name) => parts.get(name));
  if (!text || !linkEdit || !signature) throw new Error("it has no signature to replace");
  return { text, linkEdit, signature };
}

function segmentName(view: DataView, command: number): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + command + 8, 16);
  return String.fromCharCode(...bytes).replaceAll("\0", "");
}

function writeSignature(file: Uint8Array, start: number, identifier: string, text: Part): void {
  const size = file.length - start;
  const pages = Math.ceil(start / pageBytes);
  const hashes = codeDirectoryBytes + identifier.length + 1;
  const blob = viewOf(file.subarray(start));
  writeNumbers(blob, [superBlobMagic, size, 1, codeDirectorySlot, superBlobBytes]);
  const directory = viewOf(file.subarray(start + superBlobBytes));
  const directorySize = size - superBlobBytes;
  writeNumbers(directory, [codeDirectoryMagic, directorySize, codeDirectoryVersion, adHocByLinker]);
  writeNumbers(directory, [hashes, codeDirectoryBytes, 0, pages, start], 16);
  const at = start + superBlobBytes;
  file.set([sha256.bytes, sha256.type, 0, pageShift], at + 36);
  directory.setBigUint64(64, BigInt(text.offset));
  directory.setBigUint64(72, BigInt(text.size));
  directory.setBigUint64(80, mainBinary);
  file.set(new TextEncoder().encode(identifier), at + codeDirectoryBytes);
  for (let page = 0; page < pages; page++) {
    const content = file.subarray(page * pageBytes, Math.min((page + 1) * pageBytes, start));
    file.set(createHash("sha256").update(content).digest(), at + hashes + page * sha256.bytes);
  }
}

function writeNumbers(view: DataView, numbers: number[], offset = 0): void {
  for (const [index, number] of numbers.entries()) view.setUint32(offset + index * 4, number);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
