import type { GivenPage, GivenSend } from "../scene.ts";
import { casesOf } from "./case.ts";

const never = Number.POSITIVE_INFINITY;

const rule = "what waits is on the page";

export const omissionCases = [
  // two wait, and a page from 20,000 to 20,010 holds one of them
  ...casesOf(rule, {
    play(scene, { disk, ...given }: GivenPage & { disk?: boolean }) {
      const [first, second] = scene.sends(2);
      if (disk) scene.trouble("disk", { from: 20_005, to: 20_006 });
      if (first) scene.page([first], { from: 20_000, to: 20_010, ...given });
      if (second) scene.page([second], { from: 30_000 });
    },
    breaks: {
      "a page with room for more leaves one out": {},
      "a page that was typed, with room for more, leaves one out": { how: "typed" },
    },
    keeps: {
      "the page is full": { limit: 1 },
      "the page was made by the original": { how: "original" },
      "nobody knows whether the page was settled": { confirmed: never },
      "the disk was full meanwhile": { disk: true },
      "it was sent while the page was made": { from: 1_115 },
    },
  }),

  ...casesOf(rule, {
    play(scene, { how = "command", bytes }: { how?: "command" | "typed"; bytes: number }) {
      const first = scene.send();
      const second = scene.send({ text: `t0-2. ${"x".repeat(bytes)}` });
      scene.page([first], { how });
      scene.page([second], { how });
    },
    breaks: {
      "the page has room for it": { bytes: 1_900 },
      "the page has room for a long one": { bytes: 59_000 },
      "what was typed has room for it": { how: "typed", bytes: 1_900 },
    },
    keeps: {
      "it does not fit": { bytes: 64_000 },
      "it may not fit where /get was typed": { how: "typed", bytes: 28_000 },
    },
  }),

  // three wait, of which nobody knows whether the second one came in time
  ...casesOf(rule, {
    play(scene, { bytes, by = "code" }: { bytes: number; by?: "code" | "desktop" }) {
      const first = scene.send();
      const text = `t0-2. ${"x".repeat(bytes)}`;
      const second = scene.send({ text, sender: by, receipt: null });
      const third = scene.send({ id: 3 });
      scene.page([first]);
      scene.page([{ of: second, id: 2 }]);
      scene.page([third]);
    },
    breaks: {
      "the page has room for both that are left out": { bytes: 1_900 },
      "the page has room for one, and the other is not for its reader": { bytes: 64_000, by: "desktop" },
    },
    keeps: { "the page may have no room for the one before": { bytes: 64_000 } },
  }),

  // somebody else may have it on the way to Desktop, who asks at 20,000
  ...casesOf(rule, {
    play(scene, { killed, disk, ...given }: GivenPage & { killed?: number; disk?: number }) {
      const send = scene.send();
      if (disk) scene.trouble("disk", { from: disk, to: disk + 1 });
      const actor = scene.actor(killed ? { killed, died: killed } : {});
      scene.page([], { page: null, from: 2_000, to: killed ?? 19_500, confirmed: never, actor, ...given });
      scene.page([], { from: 20_000, to: 20_010 });
      scene.page([send], { from: 30_000 });
    },
    breaks: {
      "another reader gave it back long before": { to: 18_000, released: 18_000 },
      "another reader was killed, and its claim was over": { killed: 13_500 },
      "another one asked for what waits for Code": { reader: "code" },
      "another reader only looked": { marks: false },
      "another reader gave it back before the disk was full": { to: 18_000, released: 18_000, disk: 19_500 },
      "another reader was killed when it had got nothing yet": { from: 20_020, to: 20_030 },
    },
    keeps: {
      "another reader gives it back meanwhile": {},
      "another reader could not give it back, because the disk was full": {
        to: 18_000,
        released: 18_000,
        disk: 17_900,
      },
      "another reader was killed, and its claim stands": { killed: 15_500 },
    },
  }),

  ...casesOf(rule, {
    play(scene, clock: number) {
      const send = scene.send();
      scene.trouble("clock", { from: clock, to: clock });
      scene.page([], { from: 20_000, to: 20_010 });
      scene.page([send], { from: 30_000 });
    },
    breaks: { "the clock had jumped long before": 10_000 },
    keeps: { "the clock had jumped, and claims stood longer": 17_000 },
  }),

  ...casesOf(rule, {
    play(scene, { replaced, ...given }: GivenSend & { replaced?: boolean }) {
      const send = scene.send(given);
      if (replaced) scene.replace(1, { from: 3_000, to: 3_001 });
      scene.page([], { reader: "desktop", from: 20_000 });
      if (replaced) scene.replace(0, { from: 25_000, to: 25_001 });
      scene.page([send], { from: 30_000 });
    },
    breaks: { "the page is empty": {} },
    keeps: {
      "it was not acknowledged, and may have been stored later": { receipt: null },
      "it waits for Code": { sender: "desktop" },
      "it waits in another file": { replaced: true },
    },
  }),
];
