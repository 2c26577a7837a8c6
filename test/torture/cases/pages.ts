import { makeVisible } from "../../../src/core/escape.ts";
import type { Span } from "../history.ts";
import type { Shown } from "../page.ts";
import type { GivenPage, GivenSend } from "../scene.ts";
import { casesOf } from "./case.ts";

const never = Number.POSITIVE_INFINITY;

/** A reader that stands still, and goes on. */
interface Late {
  stop?: Span;
  replaced?: boolean;
}

export const pageCases = [
  ...casesOf("a page shows what was sent", {
    play(scene, given: Partial<Shown>) {
      scene.page([{ of: scene.send({ receipt: null }), ...given }], { reader: "desktop" });
    },
    breaks: {
      "nobody sent it": { text: "t0-2. text" },
      "it has no name": { text: "text" },
      "its text is cut off": { text: "t0-1. tex" },
      "it is said to be from somebody else": { sender: "desktop" },
    },
    keeps: { "it is as it was": { text: "t0-1. text" } },
  }),

  ...casesOf("a page shows what was sent", {
    play(scene, shown: (text: string) => string) {
      const send = scene.send({ text: "t0-1. \u0007" });
      scene.page([{ of: send, text: shown(send.text) }], { exact: false });
    },
    breaks: { "what is unsafe stands in a frame": (text) => text },
    keeps: { "what is unsafe is escaped in a frame": (text) => makeVisible(text).text },
  }),

  ...casesOf("a page shows what was sent", {
    play: (scene, given: GivenPage) => scene.page([scene.send()], given),
    breaks: {
      "its own author gets it": { reader: "code" },
      "it was sent only after the page came": { from: 500, to: 999 },
    },
    keeps: {
      "the other client gets it": { reader: "desktop" },
      "it was sent while the page was made": { from: 500, to: 1_001 },
    },
  }),

  ...casesOf("a page shows what was sent", {
    play(scene, { id, replaced }: { id: number; replaced?: boolean }) {
      const send = scene.send({ to: 3_000 });
      if (replaced) scene.replace(1, { from: 2_000, to: 2_001 });
      scene.page([{ of: send, id }]);
    },
    breaks: { "it has another id than its receipt said": { id: 2 } },
    keeps: {
      "it has the id of its receipt": { id: 1 },
      "the receipt may be of another file": { id: 2, replaced: true },
    },
  }),

  ...casesOf("a page goes to one reader", {
    play(scene, { how, ...given }: Partial<Shown> & GivenPage) {
      const send = scene.send();
      scene.page([send], { confirmed: never });
      scene.page([{ of: send, ...given }], how ? { how } : {});
    },
    breaks: { "two readers get it without a word": {} },
    keeps: {
      "the second is told that it may have been shown before": { maybe: true },
      "the second is told that it was read before": { fresh: false },
      "the second is the original, which knows of no claims": { how: "original" },
    },
  }),

  // of a message that was sent while the file was changed, each file may hold one
  ...casesOf("a page goes to one reader", {
    play(scene, first: GivenPage) {
      const send = scene.send({ to: 3_000 });
      scene.replace(1, { from: 2_000, to: 2_001 });
      scene.page([send], { confirmed: never, ...first });
      scene.page([send]);
    },
    breaks: { "the new file has it twice": {} },
    keeps: { "the first reader had it before the file was changed": { from: 1_900, to: 1_910 } },
  }),

  // one who was killed may have shown it, and so may the next one
  ...casesOf("a page goes to one reader", {
    play(scene, maybe: boolean) {
      const send = scene.send();
      scene.killedReader();
      scene.page([{ of: send, maybe: true }], { confirmed: never });
      scene.page([{ of: send, maybe }]);
    },
    breaks: { "the third is not told that it may have been shown before": false },
    keeps: { "the third is told, too": true },
  }),

  ...casesOf("what was delivered is not offered again", {
    play(scene, { killed, disk, ...given }: GivenPage & { killed?: number; disk?: boolean }) {
      const send = scene.send();
      scene.killedReader();
      if (disk) scene.trouble("disk", { from: 1_300, to: 1_400 });
      const actor = scene.actor(killed ? { killed, died: killed } : {});
      scene.page([send], { from: 1_350, to: 1_400, confirmed: 1_500, actor, ...given });
      scene.page([{ of: send, maybe: true }], { from: 2_000 });
    },
    breaks: {
      "its first reader settled it in peace": {},
      "its first reader was killed after that": { killed: 1_501 },
    },
    keeps: {
      "its first reader did not settle it": { confirmed: never },
      "its first reader was killed before it settled it": { killed: 1_499 },
      "its first reader cancelled": { cancelled: true },
      "its first reader settled it only after that": { confirmed: 2_001 },
      "the disk was full meanwhile": { disk: true },
      "its first reader only looked at it": { marks: false },
      "its first reader was the original, and anybody may have come between": { how: "original" },
    },
  }),

  // a claim that expired while its reader stood still
  ...casesOf("a page that went elsewhere is not shown", {
    play(scene, { text = "", replaced, stop, ...given }: GivenPage & GivenSend & Late) {
      const send = scene.send({ text: `t0-1. ${text}` });
      const late = scene.actor({ stops: [stop ?? { from: 2_000, to: 9_000 }] });
      scene.page([send], { from: 1_990, to: 9_050, actor: late });
      scene.page([{ of: send, maybe: true }], { from: 7_500, to: 7_600, ...given });
      if (replaced) scene.replace(1, { from: 5_000, to: 5_001 });
    },
    breaks: { "its reader stood still, and shows it after another one had it": {} },
    keeps: {
      "its reader stood still only before that": { stop: { from: 2_000, to: 7_400 } },
      "its reader stood still before it asked": { stop: { from: 1_900, to: 9_000 } },
      "this run may have read it late": { stop: { from: 7_400, to: 8_300 } },
      "another one had it only as its reader woke up": { to: 9_000 },
      "a part of it may have been on its way": { text: "x".repeat(8_200) },
      "the file was replaced meanwhile": { replaced: true },
      "another one was the original": { how: "original" },
      "another one had asked before": { from: 1_980 },
    },
  }),

  ...casesOf("a label has a reason", {
    play(scene, given: GivenPage) {
      const send = scene.send();
      scene.killedReader({ from: 1_050, ...given });
      scene.page([{ of: send, maybe: true }], { from: 3_000 });
    },
    breaks: {
      "the one who was killed had looked at it only": { marks: false },
      "the one who was killed read for the other client": { reader: "code" },
      "the one who was killed came later": { from: 5_000 },
      "the one who was killed was gone before it was sent": { from: 500 },
      "the one who was killed was the original": { how: "original" },
    },
    keeps: { "somebody was killed who may have shown it": {} },
  }),

  ...casesOf("a label has a reason", {
    play(scene, elsewhere: boolean) {
      const send = scene.send();
      const other = scene.send();
      scene.page([elsewhere ? other : send], { confirmed: never });
      scene.page([{ of: send, maybe: true }, ...(elsewhere ? [] : [other])]);
    },
    breaks: { "a page that nobody settled held another one": true },
    keeps: { "a page that nobody settled held it": false },
  }),

  ...casesOf("a label has a reason", {
    play(scene, away: number) {
      const send = scene.send();
      scene.page([], { from: 1_200, to: 1_900, confirmed: never });
      scene.replace(1, { from: away, to: away + 1 });
      scene.replace(0, { from: 8_000, to: 8_001 });
      scene.page([{ of: send, maybe: true }]);
    },
    breaks: { "the file was away only after the page before": 2_000 },
    keeps: { "the file went away while a page was claimed": 1_500 },
  }),

  ...casesOf("a page is in time order", {
    play(scene, order: [number, number]) {
      const sent = scene.sends(2);
      scene.page(order.flatMap((index) => sent[index] ?? []));
    },
    breaks: { "the newer message is first": [1, 0] },
    keeps: { "the older message is first": [0, 1] },
  }),

  ...casesOf("a page has a limit", {
    play: (scene, limit: number) => scene.page(scene.sends(2), { limit }),
    breaks: { "it holds more": 1 },
    keeps: { "it holds as many": 2 },
  }),
];
