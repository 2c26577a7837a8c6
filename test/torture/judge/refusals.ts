import { claimMilliseconds } from "../../../src/core/limits.ts";
import {
  type Clear,
  type Fetch,
  type History,
  type Send,
  type Span,
  type Trouble,
  troublesIn,
} from "../history.ts";
import type { Evidence } from "./evidence.ts";

// What is over does not keep anybody waiting any more: ten times what it takes to go on.
const recoveryMilliseconds = 1_000;

// A hook waits no longer for the lock on the file (hasty in src/cli/context.ts), which others may hold in turn.
const hookMilliseconds = 120;

const takenElsewhere =
  /^this page went to another reader, because this (server stood still for too long\. Ask again|command stood still for too long\. (Run it again|Type \/get once more))\.$/;

const noTicket = /^nobody typed \/get here, or hooks are switched off/;

// What the clocks of this run and of relay may differ by.
const differenceMilliseconds = 100;

/** What relay may say, and what must have happened for it; null: it may be said at any time. */
const sentences: [RegExp, Trouble["kind"][] | null][] = [
  // by whoever reads slowly or stands still, by a file whose journal is another one's; and a full disk is slow to clear
  [
    /is locked by another program\. Close that program, or try again\.$/,
    ["lock", "stop", "replaced", "disk"],
  ],
  [/^there is no room left on the disk of .* nothing was stored\.$/, ["disk"]],
  [/is read-only or unreadable to you\. Run: chmod 600 /, ["read-only"]],
  [/is removed or replaced again and again\. Stop the program that does it\.$/, ["replaced"]],
  [
    / cannot be opened\. Mend the permissions of the folder, and close some files\.$/,
    ["disk", "replaced", "read-only"],
  ],
  [/^the disk of .* failed .*Check the disk and try again\.$/, ["disk", "replaced"]],
  [takenElsewhere, null],
  [noTicket, null],
];

/** Whether relay is known to say this when something is wrong. */
export function isSentence(text: string): boolean {
  return sentences.some(([sentence]) => sentence.test(text));
}

/** Nobody is refused without a reason that the run made, and everybody in a sentence that relay is known to say. */
export function judgeRefusals({ world, history }: Evidence): void {
  for (const asked of [...history.sends, ...history.fetches, ...history.clears]) {
    const { refused } = asked;
    if (refused === null) continue;
    const known = sentences.find(([sentence]) => sentence.test(refused));
    const reasons = troublesDuring(history, asked);
    world.count(`refused: ${nameOf(known?.[0])}`);
    if (!known) world.violated("refusals are sentences of relay's", refused, asked);
    else if (known[0] === takenElsewhere && !mayHaveExpired(asked, history))
      world.violated("a claim stands for 5 s", refused, asked);
    else if (known[0] === noTicket && !mayHaveNoTicket(asked, history))
      world.violated("who typed /get is served", refused, asked);
    else if (known[1] && !known[1].some((kind) => reasons.includes(kind)))
      world.violated("a refusal has a reason", refused, asked);
  }
}

function troublesDuring(history: History, { from, to }: Span): Trouble["kind"][] {
  return troublesIn(history, { from: from - recoveryMilliseconds, to }).map(({ kind }) => kind);
}

function mayHaveNoTicket({ from, to, hook }: Fetch | Send | Clear, history: History): boolean {
  if (!hook) return false;
  const wasQuick = hook.to - hook.from < hookMilliseconds;
  const span = { from: hook.from, to: Math.max(from, to) };
  return !wasQuick || Number.isFinite(hook.actor.killed) || troublesDuring(history, span).length > 0;
}

function mayHaveExpired(asked: Span, history: History): boolean {
  const jumped = troublesIn(history, asked).some(({ kind }) => kind === "clock" || kind === "replaced");
  return jumped || asked.to - asked.from >= claimMilliseconds - differenceMilliseconds;
}

function nameOf(sentence: RegExp | undefined): string {
  const words = sentence?.source.replaceAll(/[\\^$.*]+/g, " ").trim();
  return words ? words.slice(0, 40).trim() : "in words of its own";
}
