/** A function of a Windows library that another library provides. */
export interface Forwarding {
  library: string;
  function: string;
  /** Where it really is: `library.function`. */
  to: string;
}

// "PE Format", learn.microsoft.com/windows/win32/debug/pe-format
const headerBytes = 0x200;
const contentBytes = 0x200;
const contentAddress = 0x1000;
const peOffset = 0x40;
const optionalOffset = peOffset + 24;
const optionalBytes = 240;
const at = {
  addresses: 0x40,
  names: 0x48,
  ordinals: 0x50,
  library: 0x60,
  function: 0xa0,
  to: 0xe0,
  end: 0x180,
};

/**
 * A library for 64-bit Windows that has one function and no code: Windows goes on to where the function really is.
 * Wine 8 lacks bcryptprimitives.dll, and does not start a program that needs it.
 */
export function forwardingLibrary(forwarding: Forwarding): Uint8Array {
  const file = new Uint8Array(headerBytes + contentBytes);
  writeHeader(file);
  writeExport(file.subarray(headerBytes), forwarding);
  return file;
}

function writeHeader(file: Uint8Array): void {
  const view = new DataView(file.buffer);
  const word = (offset: number, value: number) => view.setUint16(offset, value, true);
  const number = (offset: number, value: number) => view.setUint32(offset, value, true);
  const long = (offset: number, value: number) => view.setBigUint64(offset, BigInt(value), true);
  writeText(file, 0, "MZ");
  number(0x3c, peOffset);
  writeText(file, peOffset, "PE");
  word(peOffset + 4, 0x8664); // x64
  word(peOffset + 6, 1); // sections
  word(peOffset + 20, optionalBytes);
  word(peOffset + 22, 0x2022); // a library that can run and knows large addresses
  word(optionalOffset, 0x20b);
  long(optionalOffset + 24, 0x180000000); // where it likes to be
  number(optionalOffset + 32, contentAddress); // alignment in memory
  number(optionalOffset + 36, headerBytes); // and in the file
  word(optionalOffset + 40, 6); // Windows Vista
  word(optionalOffset + 48, 6);
  number(optionalOffset + 56, contentAddress * 2); // size in memory
  number(optionalOffset + 60, headerBytes);
  word(optionalOffset + 68, 3);
  word(optionalOffset + 70, 0x140); // may move, and has no code among its data
  number(optionalOffset + 108, 16);
  number(optionalOffset + 112, contentAddress);
  number(optionalOffset + 116, at.end);
  const section = optionalOffset + optionalBytes;
  writeText(file, section, ".edata");
  number(section + 8, contentBytes);
  number(section + 12, contentAddress);
  number(section + 16, contentBytes);
  number(section + 20, headerBytes);
  number(section + 36, 0x40000040); // readable data
}

function writeExport(content: Uint8Array, forwarding: Forwarding): void {
  const view = new DataView(content.buffer, content.byteOffset);
  const number = (offset: number, value: number) => view.setUint32(offset, value, true);
  number(12, contentAddress + at.library);
  for (const offset of [16, 20, 24]) number(offset, 1); // the first ordinal, how many addresses, how many names
  number(28, contentAddress + at.addresses);
  number(32, contentAddress + at.names);
  number(36, contentAddress + at.ordinals);
  number(at.addresses, contentAddress + at.to); // within the export section, so it is a name and no address
  number(at.names, contentAddress + at.function);
  writeText(content, at.library, forwarding.library);
  writeText(content, at.function, forwarding.function);
  writeText(content, at.to, forwarding.to);
}

function writeText(bytes: Uint8Array, offset: number, text: string): void {
  bytes.set(new TextEncoder().encode(text), offset);
}
