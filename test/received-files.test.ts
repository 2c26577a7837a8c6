// design.md, "Files and pictures": what a file is, by its bytes, and what becomes of it where it arrives.
import { expect, test } from "bun:test";
import { isPictureType, isTextType, mediaTypeOf } from "../src/core/media-type.ts";

const latin1 = (text: string) => Buffer.from(text, "latin1");

test("a file is what its bytes say, and its name tells one text from another", () => {
  const cases: [bytes: Uint8Array, name: string, type: string][] = [
    [Buffer.from(""), "empty.png", "text/plain"],
    [Buffer.from("a,b\n"), "t.CSV", "text/csv"],
    [Buffer.from("not a picture"), "a.png", "text/plain"],
    [Buffer.from("GIF89a/*=1;"), "polyglot.js", "text/javascript"],
    [Buffer.from("<svg/>"), "a.svg", "image/svg+xml"],
    [Buffer.from("{}"), "a.constructor", "text/plain"],
    [Buffer.from("%PDF-1.7\n"), "a.txt", "application/pdf"],
    [latin1("a\0b"), "a.txt", "application/octet-stream"],
    [latin1("caf\xe9"), "a.md", "application/octet-stream"],
    [latin1("\x89PNG\r\n\x1a\n\0\0\0"), "a.txt", "image/png"],
    [latin1("\xff\xd8\xff\xe0"), "a", "image/jpeg"],
    [latin1("RIFF\x10\0\0\0WEBPVP8 "), "a.csv", "image/webp"],
    [latin1("RIFF\x10\0\0\0WAVE"), "a.webp", "audio/wav"],
    [latin1("GIF89a\x01\0\x01\0"), "a", "image/gif"],
    [latin1("BM\x3a\0\0\0\0\0\0\0"), "a", "image/bmp"],
    [latin1(`${"a\0".padEnd(257)}ustar`), "a", "application/x-tar"],
    [latin1("PK\x03\x04\0"), "a.docx", "application/zip"],
    [latin1("\x1f\x8b\x08"), "a.json", "application/gzip"],
  ];
  for (const [bytes, name, type] of cases) expect([name, mediaTypeOf(bytes, name)]).toEqual([name, type]);
  const shown = cases.map(([, , type]) => type).filter(isPictureType);
  expect(new Set(shown)).toEqual(new Set(["image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp"]));
  expect(cases.filter(([, , type]) => isTextType(type))).toHaveLength(6);
});
