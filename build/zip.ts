import { promisify } from "node:util";
import { crc32, deflateRaw } from "node:zlib";

// APPNOTE.TXT, "Overall .ZIP file format"
const localHeader = { signature: 0x04034b50, bytes: 30 };
const centralHeader = { signature: 0x02014b50, bytes: 46 };
const endRecord = { signature: 0x06054b50, bytes: 22 };
const version = 20;
const deflated = 8;
const firstOfJanuary1980 = 0x21; // the earliest date there is: an archive of the same file is always the same

/** A ZIP archive of one file. The same file gives the same bytes. Holds less than 4 GiB. */
export async function zip(name: string, content: Uint8Array): Promise<Uint8Array> {
  const packed = await promisify(deflateRaw)(content, { level: 9 });
  const encoded = new TextEncoder().encode(name);
  const common = (header: DataView, start: number) => {
    for (const [offset, value] of [version, 0, deflated, 0, firstOfJanuary1980].entries())
      header.setUint16(start + offset * 2, value, true);
    const numbers = [crc32(content), packed.length, content.length];
    for (const [offset, value] of numbers.entries()) header.setUint32(start + 10 + offset * 4, value, true);
    header.setUint16(start + 22, encoded.length, true);
  };
  const [local, localView] = record(localHeader);
  common(localView, 4);
  const [central, centralView] = record(centralHeader);
  centralView.setUint16(4, version, true);
  common(centralView, 6);
  const [end, endView] = record(endRecord);
  for (const offset of [8, 10]) endView.setUint16(offset, 1, true); // files here, files in all
  endView.setUint32(12, central.length + encoded.length, true);
  endView.setUint32(16, local.length + encoded.length + packed.length, true);
  return Buffer.concat([local, encoded, packed, central, encoded, end]);
}

function record({ signature, bytes }: typeof localHeader): [Uint8Array, DataView] {
  const content = new Uint8Array(bytes);
  const view = new DataView(content.buffer);
  view.setUint32(0, signature, true);
  return [content, view];
}
