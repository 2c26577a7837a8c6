// A row of a SQLite database: https://sqlite.org/fileformat2.html#record_format

/** A value as it is stored. A text is its bytes in UTF-8, because they need not be well-formed. */
export type StoredValue = null | number | { text: Uint8Array } | { blob: Uint8Array };

/** How the texts of a database are stored. */
export type Encoding = "utf-8" | "utf-16le" | "utf-16be";

/** The values of a record of `size` bytes, of which `payload` has the first; `null` if it is none. */
export function readRecord(
  payload: Uint8Array,
  size: number,
  encoding: Encoding,
): { values: StoredValue[]; whole: boolean } | null {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const [headerSize, first] = varint(view, 0);
  if (headerSize < 1 || headerSize > payload.length) return null;
  const types: number[] = [];
  for (let place = first; place < headerSize; ) {
    const [type, next] = varint(view, place);
    if (type < 0 || type === 10 || type === 11 || next > headerSize) return null;
    types.push(type);
    place = next;
  }
  const total = types.reduce((sum, type) => sum + lengthOf(type), headerSize);
  if (total !== size) return null;
  const values: StoredValue[] = [];
  let place = headerSize;
  for (const type of types) {
    const next = place + lengthOf(type);
    if (next > payload.length) return { values, whole: false };
    values.push(readValue(view, place, type, encoding));
    place = next;
  }
  return { values, whole: true };
}

function lengthOf(type: number): number {
  if (type >= 12) return Math.floor((type - 12) / 2);
  return [0, 1, 2, 3, 4, 6, 8, 8, 0, 0][type] ?? 0;
}

function readValue(view: DataView, place: number, type: number, encoding: Encoding): StoredValue {
  const length = lengthOf(type);
  if (type === 0) return null;
  if (type === 7) return view.getFloat64(place);
  if (type === 8 || type === 9) return type - 8;
  if (type < 7) {
    let value = BigInt(view.getInt8(place));
    for (let index = 1; index < length; index++) value = (value << 8n) | BigInt(view.getUint8(place + index));
    return Number(value);
  }
  const bytes = new Uint8Array(view.buffer, view.byteOffset + place, length);
  if (type % 2 === 0) return { blob: bytes };
  return { text: encoding === "utf-8" ? bytes : new TextEncoder().encode(decode(bytes, encoding)) };
}

function decode(bytes: Uint8Array, encoding: Encoding): string {
  return new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes);
}

/** A variable-length integer, and the place after it; -1 where the bytes end, or for what JavaScript cannot hold. */
export function varint(view: DataView, place: number): [value: number, next: number] {
  let value = 0n;
  for (let index = 0; index < 9; index++) {
    if (place + index >= view.byteLength) return [-1, place];
    const byte = view.getUint8(place + index);
    value = index === 8 ? (value << 8n) | BigInt(byte) : (value << 7n) | BigInt(byte & 0x7f);
    if (index === 8 || byte < 0x80) {
      const number = Number(BigInt.asIntN(64, value));
      return [Number.isSafeInteger(number) ? number : -1, place + index + 1];
    }
  }
  return [-1, place];
}
