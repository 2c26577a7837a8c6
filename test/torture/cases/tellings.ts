import type { Span } from "../history.ts";
import { nothingTold } from "../page.ts";
import type { GivenPage, GivenSend } from "../scene.ts";
import { casesOf } from "./case.ts";

const never = Number.POSITIVE_INFINITY;

export const tellingCases = [
  ...casesOf("a loss is told once", {
    play(scene, second: GivenPage) {
      scene.send();
      scene.page([], { told: { dropped: [1] } });
      scene.page([], { reader: "code", told: { ownDropped: [1] } });
      scene.page([], { told: { dropped: [1] }, from: 5_000, ...second });
    },
    breaks: { "its reader hears of it again": {} },
    keeps: { "its reader hears of it again before it had settled the page": { from: 1_500 } },
  }),

  ...casesOf("a loss is told once", {
    play(scene, first: GivenPage) {
      scene.send();
      scene.page([], { told: { dropped: [1] }, ...first });
      scene.page([], { told: { dropped: [1] }, from: 5_000 });
      scene.page([], { reader: "code", told: { ownDropped: [1] } });
    },
    breaks: { "its reader settled the page that told of it": {} },
    keeps: {
      "its reader never settled the page that told of it": { confirmed: never },
      "its reader only looked": { marks: false },
    },
  }),

  // its author drove it out, or hears of it in the receipt for something else
  ...casesOf("a loss is told once", {
    play(scene, { first, second, cancelled }: { first: GivenSend; second?: GivenPage; cancelled?: Span }) {
      scene.sends(20);
      scene.send({ evicted: [1], evicted_unread: [1], ...first });
      scene.page(scene.left("desktop"), { told: { dropped: [1] } });
      if (cancelled) scene.page([], { page: null, cancelled: true, confirmed: never, ...cancelled });
      if (second) scene.page([], { reader: "code", told: { ownDropped: [1] }, from: 6_000, ...second });
    },
    breaks: {
      "its author hears of it on a page, and had it in the receipt": { first: {}, second: {} },
      "its author, who typed, hears of it on a page, and had it in the receipt": {
        first: { how: "typed" },
        second: {},
      },
      "its author hears of it on a page, and its reader had cancelled before": {
        first: { from: 6_000 },
        second: { from: 8_000 },
        cancelled: { from: 3_990, to: 4_020 },
      },
    },
    keeps: {
      "its author has it in the receipt": { first: {} },
      "its author hears of it on a page, and never settled the receipt": {
        first: { how: "tool" },
        second: {},
      },
      "its author hears of it on a page, and had been slow to settle the receipt": {
        first: { from: 4_000, to: 9_500 },
        second: { from: 12_000 },
      },
      "its author hears of it on a page, and its reader may have got it meanwhile and cancelled": {
        first: { from: 4_000 },
        second: {},
        cancelled: { from: 3_990, to: 4_020 },
      },
      "its author hears of it before the receipt was settled": { first: {}, second: { from: 4_000 } },
    },
  }),

  ...casesOf("a loss is told once", {
    play(scene, first: GivenPage) {
      scene.send();
      scene.page([], { told: { dropped: [1] } });
      scene.page([], { reader: "code", told: { ownDropped: [1] }, ...first });
      scene.page([], { reader: "code", told: { ownDropped: [1] }, from: 5_000 });
    },
    breaks: { "its author settled the page that told of it": {} },
    keeps: { "its author never settled the page that told of it": { confirmed: never } },
  }),

  ...casesOf("a loss is told once", {
    play(scene, told: number[]) {
      scene.send();
      scene.page([], { told: { dropped: [1] } });
      scene.page([], { reader: "code", told: { ownDropped: [1] } });
      const second = scene.send({ from: 5_000, told: { ...nothingTold, ownDropped: told } });
      scene.page([second]);
    },
    breaks: { "its author hears of it in a later receipt": [1] },
    keeps: { "its author hears nothing of it in a later receipt": [] },
  }),

  ...casesOf("what was read is no loss", {
    play(scene, given: GivenPage) {
      scene.page([scene.send()], given);
      scene.page([], { reader: "code", told: { ownDropped: [1] }, from: 5_000 });
    },
    breaks: { "its reader had it, and its author hears that it was dropped": {} },
    keeps: {
      "its reader never settled the page, and its author hears that it was dropped": { confirmed: never },
    },
  }),

  ...casesOf("what was read is no loss", {
    play(scene, given: GivenPage) {
      scene.page([scene.send()], given);
      scene.page([], { told: { dropped: [1] }, from: 5_000 });
    },
    breaks: { "its reader had it, and hears that it was dropped": {} },
    keeps: {
      "its reader never settled the page": { confirmed: never },
      "its reader settled the page only after that": { confirmed: 5_001 },
      "its reader cancelled": { cancelled: true },
    },
  }),
];
