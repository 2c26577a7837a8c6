import { createHash } from "node:crypto";
import { read } from "./bytes.ts";
import { type MachO, readMachO } from "./mach-o.ts";

// XNU's <kern/cs_blobs.h>. The numbers of a signature are big-endian, whatever the CPU.
const superBlobMagic = 0xfade0cc0;
const codeDirectoryMagic = 0xfade0c02;
const codeDirectorySlot = 0;
const withExecutableSegment = 0x20400;
const codeDirectoryBytes = 88;
const superBlobBytes = 20; // with the index of one blob
const adHoc = 0x2;
const linkerSigned = 0x20000;
const mainBinary = 1;
const sha256 = { type: 2, bytes: 32 };
const pageShift = 12;
const pageBytes = 1 << pageShift;

/**
 * A copy of a Mach-O program with an ad-hoc signature in the place of the one it has: a code directory with the SHA-256
 * of each page and nothing else, as linkers make it. Throws when the program has no room for one, or is none.
 */
export function signAdHoc(file: Uint8Array, identifier: string): Uint8Array {
  const { linkEdit, signature, text } = readMachO(file);
  if (!signature) throw new Error("it has no signature to replace");
  if (signature.offset + signature.size !== file.length) throw new Error("its signature is not at its end");
  const codeLimit = signature.offset;
  const size = signatureBytes(codeLimit, identifier);
  const signed = new Uint8Array(codeLimit + size);
  signed.set(file.subarray(0, codeLimit));

  const view = new DataView(signed.buffer);
  view.setUint32(signature.command + 12, size, true);
  const linkEditBytes = signed.length - linkEdit.offset;
  const mapped = Number(view.getBigUint64(linkEdit.command + 32, true));
  if (linkEditBytes > mapped) {
    const rounded = Math.ceil(linkEditBytes / pageBytes) * pageBytes;
    view.setBigUint64(linkEdit.command + 32, BigInt(rounded), true);
  }
  view.setBigUint64(linkEdit.command + 48, BigInt(linkEditBytes), true);
  // the load commands are on the first page, so they are as they stay before anything is hashed
  writeSignature(signed, codeLimit, identifier, text);
  return signed;
}

/**
 * Recomputes the hash of every page of a program that is signed ad hoc. Throws with what is wrong: no such signature,
 * one that does not cover the whole file, parts nobody here knows, or pages that differ.
 */
export function checkAdHocSignature(file: Uint8Array): void {
  const { signature, text } = readMachO(file);
  if (!signature) throw new Error("it is not signed");
  if (signature.offset + signature.size !== file.length) throw new Error("its signature is not at its end");
  const bytes = read(file);
  const start = signature.offset;
  if (bytes.u32BigEndian(start) !== superBlobMagic) throw new Error("its signature is no superblob");
  if (bytes.u32BigEndian(start + 8) !== 1 || bytes.u32BigEndian(start + 12) !== codeDirectorySlot)
    throw new Error("its signature is not ad hoc: it holds more than a code directory");
  const directory = start + bytes.u32BigEndian(start + 16);
  const number = (offset: number) => bytes.u32BigEndian(directory + offset);
  const codeLimit = number(32);
  const wrong = Object.entries({
    "its magic": number(0) !== codeDirectoryMagic,
    "its length": directory + number(4) > file.length,
    "its version": number(8) < withExecutableSegment,
    "its flags are not ad hoc": (number(12) & adHoc) === 0,
    "its special slots": number(24) !== 0,
    "its number of pages": number(28) !== Math.ceil(codeLimit / pageBytes),
    "the end of the code": codeLimit !== signature.offset,
    "its kind of hash": bytes.u8(directory + 36) !== sha256.bytes || bytes.u8(directory + 37) !== sha256.type,
    "its size of a page": bytes.u8(directory + 39) !== pageShift,
    "the executable segment":
      bytes.u64BigEndian(directory + 64) !== text.offset || bytes.u64BigEndian(directory + 72) !== text.size,
    "its identifier": bytes.text(directory + number(20)) === "",
  }).filter(([, isWrong]) => isWrong);
  if (wrong.length > 0)
    throw new Error(`its code directory is wrong: ${wrong.map(([what]) => what).join(", ")}`);
  checkPages(file, codeLimit, directory + number(16));
}

function checkPages(file: Uint8Array, codeLimit: number, hashes: number): void {
  const pages = [...pageHashes(file, codeLimit)];
  const differing = pages.filter((hash, index) => {
    const offset = hashes + index * sha256.bytes;
    return !hash.equals(file.subarray(offset, offset + sha256.bytes));
  });
  if (differing.length > 0)
    throw new Error(`${differing.length} of ${pages.length} pages differ from what was signed`);
}

function* pageHashes(file: Uint8Array, codeLimit: number): Generator<Buffer> {
  for (let start = 0; start < codeLimit; start += pageBytes) {
    const page = file.subarray(start, Math.min(start + pageBytes, codeLimit));
    yield createHash("sha256").update(page).digest();
  }
}

function signatureBytes(codeLimit: number, identifier: string): number {
  const pages = Math.ceil(codeLimit / pageBytes);
  return superBlobBytes + codeDirectoryBytes + identifier.length + 1 + pages * sha256.bytes;
}

function writeSignature(file: Uint8Array, start: number, identifier: string, text: MachO["text"]): void {
  const size = file.length - start;
  const view = new DataView(file.buffer, start);
  const write = (offset: number, ...numbers: number[]) => {
    for (const [index, number] of numbers.entries()) view.setUint32(offset + index * 4, number);
  };
  write(0, superBlobMagic, size, 1, codeDirectorySlot, superBlobBytes);
  const directory = superBlobBytes;
  const hashes = codeDirectoryBytes + identifier.length + 1;
  write(directory, codeDirectoryMagic, size - directory, withExecutableSegment, adHoc | linkerSigned);
  write(directory + 16, hashes, codeDirectoryBytes, 0, Math.ceil(start / pageBytes), start);
  file.set([sha256.bytes, sha256.type, 0, pageShift], start + directory + 36);
  view.setBigUint64(directory + 64, BigInt(text.offset));
  view.setBigUint64(directory + 72, BigInt(text.size));
  view.setBigUint64(directory + 80, BigInt(mainBinary));
  file.set(new TextEncoder().encode(identifier), start + directory + codeDirectoryBytes);
  let offset = start + directory + hashes;
  for (const hash of pageHashes(file, start)) {
    file.set(hash, offset);
    offset += sha256.bytes;
  }
}
