// Far above the largest request that means anything: 64 KB of text is at most 400 KB of JSON.
const lineBytes = 16 * 1024 * 1024;

const newline = 0x0a;

/** A line of input, or the length in bytes of one that was too long to keep. */
export type Line = { text: string } | { tooLong: number };

/** Cuts a stream of bytes into lines, whatever the chunks. Bytes that are not UTF-8 become U+FFFD. */
export interface LineReader {
  /** The lines that this chunk completes. */
  push(chunk: Uint8Array): Line[];
  /** What is left when the stream has ended without a newline. */
  end(): Line[];
}

/** A reader at the start of a stream. */
export function lineReader(limit = lineBytes): LineReader {
  const decoder = new TextDecoder();
  let parts: Uint8Array[] = [];
  let length = 0;

  const keep = (part: Uint8Array) => {
    length += part.length;
    if (length <= limit) parts.push(part);
    else parts = [];
  };
  const finish = (): Line => {
    const line = length > limit ? { tooLong: length } : { text: decoder.decode(Buffer.concat(parts)) };
    parts = [];
    length = 0;
    return line;
  };

  return {
    push(chunk) {
      const lines: Line[] = [];
      let start = 0;
      for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
        keep(chunk.subarray(start, end));
        lines.push(finish());
        start = end + 1;
      }
      if (start < chunk.length) keep(chunk.subarray(start));
      return lines;
    },
    end: () => (length > 0 ? [finish()] : []),
  };
}
