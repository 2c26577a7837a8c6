import { isUtf8 } from "node:buffer";

/**
 * The media type of a file, by its bytes. Valid UTF-8 without NUL is text, whatever it begins with; only of a text does the
 * name's ending tell which. `application/octet-stream` if nothing is known.
 */
export function mediaTypeOf(bytes: Uint8Array, name: string): string {
  // alone of these formats, a PDF may be plain ASCII
  if (startsWith(bytes, "%PDF-")) return "application/pdf";
  if (isUtf8(bytes) && !bytes.includes(0)) {
    return textTypes.get(/\.(\w+)$/.exec(name)?.[1]?.toLowerCase() ?? "") ?? "text/plain";
  }
  const found = signatures.find(([, ...parts]) => parts.every(([at, value]) => startsWith(bytes, value, at)));
  return found?.[0] ?? "application/octet-stream";
}

/** Whether a media type of {@link mediaTypeOf} is that of a text. SVG is one. */
export function isTextType(type: string): boolean {
  return type === "text/plain" || textTypes.values().some((text) => text === type);
}

/** Whether a media type is that of a picture that relay can show. */
export function isPictureType(type: string): boolean {
  return ["image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp"].includes(type);
}

// https://www.iana.org/assignments/media-types
const textTypes = new Map([
  ["css", "text/css"],
  ["csv", "text/csv"],
  ["htm", "text/html"],
  ["html", "text/html"],
  ["js", "text/javascript"],
  ["json", "application/json"],
  ["jsonl", "application/jsonl"],
  ["md", "text/markdown"],
  ["svg", "image/svg+xml"],
  ["toml", "application/toml"],
  ["tsv", "text/tab-separated-values"],
  ["xml", "application/xml"],
  ["yaml", "application/yaml"],
  ["yml", "application/yaml"],
]);

type Part = readonly [at: number, value: string];

// https://www.garykessler.net/library/file_sigs.html; the characters are bytes
const signatures: readonly (readonly [type: string, ...parts: Part[]])[] = [
  ["image/png", [0, "\x89PNG\r\n\x1a\n"]],
  ["image/jpeg", [0, "\xff\xd8\xff"]],
  ["image/gif", [0, "GIF87a"]],
  ["image/gif", [0, "GIF89a"]],
  ["image/webp", [0, "RIFF"], [8, "WEBP"]],
  ["image/bmp", [0, "BM"], [6, "\0\0\0\0"]],
  ["image/tiff", [0, "II*\0"]],
  ["image/tiff", [0, "MM\0*"]],
  ["image/avif", [4, "ftypavif"]],
  ["image/heic", [4, "ftyphei"]],
  ["video/mp4", [4, "ftyp"]],
  ["video/webm", [0, "\x1aE\xdf\xa3"]],
  ["audio/wav", [0, "RIFF"], [8, "WAVE"]],
  ["audio/mpeg", [0, "ID3"]],
  ["audio/ogg", [0, "OggS"]],
  ["application/zip", [0, "PK\x03\x04"]],
  ["application/zip", [0, "PK\x05\x06"]],
  ["application/gzip", [0, "\x1f\x8b"]],
  ["application/x-bzip2", [0, "BZh"]],
  ["application/x-xz", [0, "\xfd7zXZ\0"]],
  ["application/x-7z-compressed", [0, "7z\xbc\xaf'\x1c"]],
  ["application/zstd", [0, "(\xb5/\xfd"]],
  ["application/x-tar", [257, "ustar"]],
  ["application/vnd.sqlite3", [0, "SQLite format 3\0"]],
  ["application/wasm", [0, "\0asm"]],
];

function startsWith(bytes: Uint8Array, value: string, at = 0): boolean {
  return (
    bytes.length >= at + value.length && [...value].every((char, index) => bytes[at + index] === char.charCodeAt(0))
  );
}
