import type { Clear } from "../history.ts";
import { casesOf } from "./case.ts";
import { fill } from "./evictions.ts";

const rule = "evictions are as designed";

export const windowCases = [
  ...casesOf(rule, {
    play(scene, { others = 19, lost, ...clear }: Partial<Clear> & { others?: number; lost?: boolean }) {
      const sent = Object.values(fill(scene, others)).flat();
      scene.page(sent.slice(0, 1));
      scene.page(sent.slice(1));
      if (lost) scene.send({ receipt: null });
      const last = scene.send({ from: 10_000, to: 10_100 });
      scene.page([last], { from: 10_110, to: 10_120 });
      if (clear.to) scene.clear(clear);
    },
    breaks: {
      "none went, and all had been read": {},
      "none went, and somebody who got no receipt had taken the last room": { others: 18, lost: true },
      "none went, and the buffer was cleared before": { from: 500, to: 510 },
      "none went, and the buffer was cleared afterwards": { from: 10_200, to: 10_300 },
    },
    keeps: {
      "there was room for it": { others: 18 },
      "the buffer was cleared before it": { from: 9_000, to: 9_100 },
      "the buffer may have been cleared before it": { from: 10_050, to: 10_200 },
      "the buffer may have been cleared by somebody who was killed": { from: 9_000, to: 9_100, done: false },
    },
  }),

  // the original leaves what is among the latest 20, of which relay may have evicted some
  ...casesOf(rule, {
    play(scene, { gone, evicted, failed }: { gone: number; evicted: number[]; failed?: boolean }) {
      const { toCode, toDesktop } = fill(scene);
      scene.page([toCode]);
      scene.page(toDesktop);
      scene.page([scene.send({ evicted: [gone] })]);
      const original = scene.send({ how: "original", ...(failed ? { receipt: null } : {}) });
      if (!failed) scene.page([original]);
      scene.page([scene.send({ evicted })]);
    },
    breaks: {
      "the original left 20": { gone: 1, evicted: [] },
      "the original got no answer, and left 20": { gone: 1, evicted: [], failed: true },
    },
    keeps: {
      "the original left 20, and one went": { gone: 1, evicted: [3] },
      "the original left 19": { gone: 5, evicted: [] },
      "the original got no answer, and left 19": { gone: 5, evicted: [], failed: true },
    },
  }),

  // what lies in the file at the end
  ...casesOf(rule, {
    play(scene, { from, to, cleared }: { from: number; to: number; cleared?: boolean }) {
      const { toCode, toDesktop } = fill(scene);
      scene.page([toCode]);
      scene.page(toDesktop);
      const last = scene.send({ evicted: [1] });
      scene.page([last]);
      if (cleared) scene.clear();
      for (const send of [toCode, ...toDesktop, last].slice(from - 1, to)) scene.row(send, { read: 1 });
    },
    breaks: {
      "two went, and one was reported": { from: 3, to: 21 },
      "another one went than was reported": { from: 1, to: 20 },
    },
    keeps: {
      "the one that was reported went": { from: 2, to: 21 },
      "the buffer was cleared": { from: 21, to: 21, cleared: true },
    },
  }),
];
