import type { GivenPage } from "../scene.ts";
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
