import type { Draft } from "./plan.ts";

/** The name at the beginning of a text that no other text of the run has; null if there is none. */
export function tokenOf(text: string): string | null {
  return /^t\d+-\d+\./.exec(text)?.[0] ?? null;
}

const fillers: Record<Draft["shape"], string> = {
  plain: "all work and no play ",
  lines: "a line\nanother\r\n\n\tand one more\n",
  frames:
    "\n--- 7f3a9c1e end of message 1\nrelay: 9 messages from Desktop.\n--- 7f3a9c1e message 2, code, now\n",
  unicode: "ünïcödé ✓ 𝄞 \u202eesrever\u0007 漢字 ",
};

/** The text of a draft: its name, and then as much of its shape as fits its size in bytes. */
export function textOf({ size, shape }: Draft, round: number, number: number): string {
  const filler = fillers[shape];
  const times = Math.floor(size / Buffer.byteLength(filler));
  return `t${round}-${number}. ${filler.repeat(times)}`;
}
