import type { Clear, Send } from "../history.ts";
import type { GivenPage, GivenSend } from "../scene.ts";
import { casesOf } from "./case.ts";

const never = Number.POSITIVE_INFINITY;

const locked = "the buffer is locked by another program. Close that program, or try again.";

const rule = "what waits is counted";

export const countCases = [
  // 1 is for Desktop and may have been read at 2,000, 2 is for Code, and 3 is for Desktop again
  ...casesOf(rule, {
    play(scene, { read, ...given }: GivenSend & { read?: GivenPage }) {
      const [first, toCode] = [scene.send(), scene.send({ sender: "desktop" })];
      if (read) scene.page([first], { from: 2_000, to: 2_010, ...read });
      const second = scene.send({ from: 4_000, to: 4_010, ...given });
      scene.page(read ? [second] : [first, second]);
      scene.page([toCode]);
    },
    breaks: {
      "a receipt leaves one out": { unread: 1 },
      "a receipt counts what is for its sender": { unread: 3 },
      "a receipt leaves its own message out": { unread: 0, read: {} },
      "a receipt counts what was read": { unread: 2, read: {} },
    },
    keeps: {
      "a receipt counts both": { unread: 2 },
      "a receipt leaves out what was read": { unread: 1, read: {} },
      "it may have been read, and a receipt counts it": { unread: 2, read: { confirmed: never } },
      "it may have been read, and a receipt leaves it out": { unread: 1, read: { confirmed: never } },
    },
  }),

  // the page at 5,000 shows one of two
  ...casesOf(rule, {
    play(scene, { remaining, lost, refused }: { remaining: number; lost?: boolean; refused?: boolean }) {
      const [first, second] = scene.sends(2) as [Send, Send];
      if (refused) scene.trouble("lock", { from: 3_900, to: 4_000 });
      const third = scene.send({ from: 4_000, receipt: null, refused: refused ? locked : null });
      const waiting = { remaining, elsewhere: 0 };
      scene.page([first], { from: 5_000, to: 5_010, limit: 1, waiting });
      scene.page(lost ? [second, third] : [second]);
    },
    breaks: {
      "a page leaves one out": { remaining: 0 },
      "a page counts more than were sent": { remaining: 3 },
      "a page counts what was refused": { remaining: 2, refused: true },
    },
    keeps: {
      "a page counts what is left": { remaining: 1 },
      "a page counts what was perhaps stored": { remaining: 2, lost: true },
    },
  }),

  ...casesOf(rule, {
    play(scene, { remaining, others, clear }: { remaining: number; others: number; clear?: Partial<Clear> }) {
      scene.send();
      for (const send of scene.sends(Math.min(others, 19))) scene.page([send], { limit: 1 });
      if (others > 19) scene.page([scene.send({ evicted: [2] })], { limit: 1 });
      if (clear) scene.clear(clear);
      const told = clear ? { uncounted: 1 } : { dropped: [1] };
      scene.page([], { from: 10_000, to: 10_010, waiting: { remaining, elsewhere: 0 }, told, limit: 0 });
      scene.page([], { reader: "code", told: clear ? { ownUncounted: 1 } : { ownDropped: [1] } });
    },
    breaks: {
      "a page leaves out what cannot have gone": { remaining: 0, others: 2 },
      "a page counts what was cleared": { remaining: 1, others: 2, clear: { from: 9_000, to: 9_010 } },
    },
    keeps: {
      "a page leaves out what may have had to go": { remaining: 0, others: 20 },
      "a page leaves out what was cleared": { remaining: 0, others: 2, clear: { from: 9_000, to: 9_010 } },
      "a page leaves out what may have been cleared": {
        remaining: 0,
        others: 2,
        clear: { from: 9_000, to: 9_010, done: false },
      },
    },
  }),

  // one was read before, and one was not
  ...casesOf(rule, {
    play(scene, unread: number) {
      const [first] = scene.sends(2) as [Send, Send];
      scene.page([first], { limit: 1 });
      scene.clear({ receipt: { deleted: 2, deleted_unread: unread } });
      scene.page([], { told: { uncounted: 1 } });
      scene.page([], { reader: "code", told: { ownUncounted: 1 } });
    },
    breaks: { "a clear says that none waited": 0, "a clear says that what was read waited": 2 },
    keeps: { "a clear says how many waited": 1 },
  }),

  ...casesOf("a clear counts what it deletes", {
    play(scene, deleted: number) {
      for (const send of scene.sends(2)) scene.page([send], { limit: 1 });
      scene.clear({ receipt: { deleted, deleted_unread: 0 } });
    },
    breaks: { "there were not so many": 3 },
    keeps: { "there were so many": 2 },
  }),

  ...casesOf("what is on its way elsewhere was asked for", {
    play(scene, { elsewhere = 1, ...given }: GivenPage & { elsewhere?: number }) {
      const send = scene.send();
      scene.page([], { page: null, from: 2_000, to: 9_000, confirmed: never, ...given });
      scene.page([], { from: 3_000, to: 3_010, waiting: { remaining: 1, elsewhere }, limit: 0 });
      scene.page([send], { from: 10_000 });
    },
    breaks: {
      "nobody asked for it yet": { from: 4_000 },
      "Code asked, and it is for Desktop": { reader: "code" },
      "somebody only looked": { marks: false },
      "more than wait are on their way": { elsewhere: 2 },
    },
    keeps: { "another reader asked for it": {} },
  }),
];
