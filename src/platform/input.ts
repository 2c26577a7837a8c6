import { fstatSync, readFileSync } from "node:fs";

// Far above the largest useful request: 64 KB of text is at most 400 KB of JSON.
const longestLine = 16 * 1024 * 1024;

const newline = 0x0a;

/**
 * The lines of a stream of bytes, without their ends; the last one may lack its end. Bytes that are not UTF-8 become
 * U+FFFD. A line over 16 MB is not kept: it comes as `null`.
 */
export async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string | null> {
  const decoder = new TextDecoder();
  let parts: Uint8Array[] = [];
  let length = 0;
  const keep = (part: Uint8Array) => {
    length += part.length;
    if (length <= longestLine) parts.push(part);
    else parts = [];
  };
  const finish = () => {
    const line = length <= longestLine ? decoder.decode(Buffer.concat(parts)) : null;
    parts = [];
    length = 0;
    return line;
  };
  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      keep(chunk.subarray(start, end));
      yield finish();
      start = end + 1;
    }
    if (start < chunk.length) keep(chunk.subarray(start));
  }
  if (length > 0) yield finish();
}

/** All bytes of a stream; `null` if there are more than `limit`. Calls `onStart` when the first ones are there. */
export async function readAll(
  stream: ReadableStream<Uint8Array>,
  limit: number,
  onStart = () => {},
): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    onStart();
    length += chunk.length;
    if (length > limit) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * The text on standard input; `null` if it cannot be read. Waits for its end, and nothing else happens meanwhile: a stream
 * costs half a millisecond more.
 */
export function readInput(): string | null {
  try {
    return readFileSync(0, "utf8");
  } catch {
    return null;
  }
}

/** As {@link readAll}, or nothing if no byte comes and the stream does not end within `milliseconds`. */
export async function readStarted(
  stream: ReadableStream<Uint8Array>,
  limit: number,
  milliseconds: number,
): Promise<Uint8Array | null | undefined> {
  let isStarted = false;
  const reading = readAll(stream, limit, () => {
    isStarted = true;
  });
  const isEnded = await Promise.race([reading.then(() => true), Bun.sleep(milliseconds).then(() => false)]);
  return isEnded || isStarted ? reading : undefined;
}

/** The source of standard input, as far as it may hold a text: another program, or a file; `null` for any other. */
export function inputSource(): "pipe" | "file" | null {
  try {
    const stats = fstatSync(0);
    if (stats.isFile()) return "file";
    return stats.isFIFO() || stats.isSocket() ? "pipe" : null;
  } catch {
    return null; // closed
  }
}
