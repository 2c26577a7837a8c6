// design.md, "Files and pictures": what a file is, by its bytes, and what becomes of it where it arrives.
import { expect, test } from "bun:test";
import { safeFileNames } from "../src/core/file-name.ts";
import { isPictureType, isTextType, mediaTypeOf } from "../src/core/media-type.ts";

const flag = "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}";
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

test("a name becomes a single part of a path that every system takes", () => {
  const cases: [given: string, safe: string][] = [
    ["plot.png", "plot.png"],
    ["Übersicht (1).pdf", "Übersicht (1).pdf"],
    ["icon@2x.png", "icon@2x.png"],
    ["../../etc/passwd", "passwd"],
    ["..\\..\\boot.ini", "boot.ini"],
    ["/", "file"],
    ["", "file"],
    ["..", "file"],
    [". .", "file"],
    ["a/..", "a"],
    [".bashrc", "bashrc"],
    ["-rf", "rf"],
    ["a\0b.txt", "ab.txt"],
    ["a\nb\t.txt", "a b .txt"],
    ["gnp\u202e.exe", "gnp.exe"],
    ["a\u{e0041}\u200b.txt", "a.txt"],
    ["\u001b[31mred.txt", "red.txt"],
    ["\ud800.txt", "txt"],
    ["a \udc00 b", "a b"],
    ['a:b*c?"<|>.txt', "a_b_c_____.txt"],
    ["CON", "_CON"],
    ["nul.txt", "_nul.txt"],
    ["com1 .log", "_com1 .log"],
    ["console.log", "console.log"],
    ["dots... ", "dots"],
    ["@secrets.md", "_@secrets.md"],
    ["ultrathink.md", "ultra_think.md"],
    [`${"a".repeat(1_000)}.png`, `${"a".repeat(116)}.png`],
    [`a.${"b".repeat(1_000)}`, `a.${"b".repeat(118)}`],
    ["ü".repeat(100), "ü".repeat(60)],
    [flag.repeat(5), `${flag.repeat(4)}\u{1f3f4}`],
  ];
  for (const [given, safe] of cases) expect([given, safeFileNames([given])[0]]).toEqual([given, safe]);
  expect(safeFileNames(["a.png", "A.png", "x/a.png", "a-2.png", "é", "e\u0301"])).toEqual([
    "a.png",
    "A-2.png",
    "a-3.png",
    "a-2-2.png",
    "é",
    "e\u0301-2",
  ]);
});
