/** The bytes of a binary, read at offsets. Whatever lies beyond their end throws a `RangeError`. */
export interface Bytes {
  readonly length: number;
  u8(offset: number): number;
  u16(offset: number): number;
  u32(offset: number): number;
  /** A 64-bit number; nothing in these files needs more than 2^53. */
  u64(offset: number): number;
  u32BigEndian(offset: number): number;
  u64BigEndian(offset: number): number;
  /** The text up to the next NUL. */
  text(offset: number): string;
  slice(start: number, end: number): Uint8Array;
}

/** Reads little-endian numbers, unless a name says otherwise, from `bytes`. */
export function read(bytes: Uint8Array): Bytes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    length: bytes.length,
    u8: (offset) => view.getUint8(offset),
    u16: (offset) => view.getUint16(offset, true),
    u32: (offset) => view.getUint32(offset, true),
    u64: (offset) => Number(view.getBigUint64(offset, true)),
    u32BigEndian: (offset) => view.getUint32(offset),
    u64BigEndian: (offset) => Number(view.getBigUint64(offset)),
    text(offset) {
      const end = bytes.indexOf(0, offset);
      if (end < 0) throw new RangeError(`a text at ${offset} never ends`);
      return new TextDecoder("latin1").decode(bytes.subarray(offset, end));
    },
    slice(start, end) {
      if (start > end || end > bytes.length) throw new RangeError(`${start} to ${end} is beyond the end`);
      return bytes.subarray(start, end);
    },
  };
}
