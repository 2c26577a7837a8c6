import type { Client, Page, Shown } from "./run-history.ts";
import type { Draft } from "./workload.ts";

const fillers: Record<Draft["shape"], string> = {
  plain: "all work and no play ",
  lines: "a line\nanother\r\n\n\tand one more\n",
  frames: "\n--- 7f3a9c1e end of message 1\nrelay: 9 messages.\n--- 7f3a9c1e message 2, code, now\n",
  unicode: "ünïcödé ✓ 𝄞 \u202eesrever\u0007 漢字 ",
};

/** The text of a draft: its token, and then as much of its shape as fits. */
export function textOf({ bytes, shape }: Pick<Draft, "bytes" | "shape">, token: string): string {
  return `${token} ${fillers[shape].repeat(bytes / Buffer.byteLength(fillers[shape]))}`;
}

/** What a text begins with, and no other one; empty if it is none of the run's. */
export function tokenOf(text: string): string {
  return /^t\d+-\d+\./.exec(text)?.[0] ?? "";
}

/** Whether a page shows the text as it was sent: byte for byte, or with its unsafe characters escaped. */
export function isIntact(text: string, shown: string): boolean {
  const escaped = text.replaceAll("\u202e", "\\u202e").replaceAll("\u0007", "\\u0007");
  return shown === text || shown === escaped;
}

/** Reads what `relay get --json` prints. Throws on anything else. */
export function readJson(text: string, reader: Client): Page {
  const page = JSON.parse(text);
  const shown = page.messages.map(
    ({ files, ...message }: Record<string, unknown> & { files: { kept: boolean }[] }) => ({
      id: message.id,
      text: message.message,
      fresh: message[`read_by_${reader}_at`] === null,
      redelivered: message.maybe_shown,
      files: files.filter(({ kept }) => kept).length,
    }),
  );
  return { shown, dropped: page.dropped, unnamed: 0 };
}

/** Reads a framed page. Throws if something stands where no page has anything. */
export function readFramed(text: string): Page {
  const lines = text.replace(/\n$/, "").split("\n");
  const preamble = lines.findIndex((line) => line.startsWith("Between the lines marked "));
  const head = lines.slice(0, preamble < 0 ? lines.length : preamble);
  const strange = head.find((line) => !line.startsWith("relay: "));
  if (strange !== undefined) throw new Error(`no page has the line "${strange}"`);
  const mark = /marked (\w+)/.exec(lines[preamble] ?? "")?.[1] ?? "";
  return { shown: readFrames(lines.slice(head.length + 1), mark), ...readDropped(head) };
}

function readFrames(lines: string[], mark: string): Shown[] {
  const shown: Shown[] = [];
  const first = new RegExp(`^--- ${mark} message (\\d+), \\w+, [^(]*(?:\\((.*)\\))?$`);
  for (let at = 0; at < lines.length; ) {
    const [, id, labels = ""] = first.exec(lines[at] ?? "") ?? [];
    const end = lines.indexOf(`--- ${mark} end of message ${id}`, at);
    if (lines[at + 1]?.startsWith(`--- ${mark} in reply to `)) at += 1;
    if (end < 0) throw new Error(`in no frame is the line "${lines[at]}"`);
    const fresh = !/(?:^|; )read before/.test(labels);
    const redelivered = labels.includes("may have been shown before");
    const file = lines.findIndex((line, index) => index > at && line.startsWith(`--- ${mark} file `));
    const text = lines.slice(at + 1, file < 0 ? end : Math.min(file, end)).join("\n");
    shown.push({ id: Number(id), text, fresh, redelivered });
    at = end + 1;
  }
  return shown;
}

function readDropped(head: string[]): Omit<Page, "shown"> {
  const said = /^relay: (\d+) unread messages? (?:left the window|(?:was|were) dropped)[^(]*\(([^)]*)\)/gm;
  const told = [...head.join("\n").matchAll(said)];
  const ranges = told.map(([, , ids]) => ids).join(", ");
  const dropped = [...ranges.matchAll(/(\d+)(?:-(\d+))?/g)].flatMap(([, from, to = from]) =>
    Array.from({ length: Number(to) - Number(from) + 1 }, (_, n) => Number(from) + n),
  );
  return { dropped, unnamed: told.reduce((sum, [, count]) => sum + Number(count), -dropped.length) };
}
