import { clients } from "../../../src/core/client.ts";
import type { Send } from "../history.ts";
import type { GivenPage, GivenSend, Scene } from "../scene.ts";
import { casesOf } from "./case.ts";

const rule = "evictions are as designed";

/** A full window: message 1 is for Code and the rest for Desktop, so that each can be read without the other. */
export function fill(scene: Scene, others = 19) {
  const toCode = scene.send({ sender: "desktop" });
  return { toCode, toDesktop: scene.sends(others) };
}

/** The 20th message is read, the 1st has to go unread. */
function readOneAndLose(scene: Scene, given: GivenPage): Send {
  scene.sends(19);
  const toCode = scene.send({ sender: "desktop" });
  scene.page([toCode], { from: 4_000, to: 4_010, ...given });
  scene.send({ evicted: [1], evicted_unread: [1], from: 5_000, to: 5_100 });
  return toCode;
}

export const evictionCases = [
  ...casesOf(rule, {
    play(scene, given: GivenSend) {
      fill(scene);
      scene.send(given);
      scene.drain();
    },
    breaks: {
      "one is unread and did not go": { evicted: [], evicted_unread: [1] },
      "one is newer than what it made room for": { evicted: [99] },
      "none went, and there was no room": { evicted: [] },
    },
    keeps: {
      "the oldest one went unread": { evicted: [1], evicted_unread: [1] },
      "one may have gone that had been read, and who types hears nothing of it": { how: "typed" },
    },
  }),

  ...casesOf(rule, {
    play(scene, given: GivenPage) {
      const [first] = scene.sends(20);
      if (first) scene.page([first], { from: 4_000, to: 4_010, limit: 1, ...given });
      scene.send({ sender: "desktop", evicted: [1], evicted_unread: [1], from: 5_000, to: 5_100 });
      for (const reader of clients) scene.page(scene.left(reader));
    },
    breaks: { "one that was read went as unread": {} },
    keeps: {
      "one went as unread, and nobody knows whether it was read": { confirmed: Number.POSITIVE_INFINITY },
    },
  }),

  ...casesOf(rule, {
    play(scene, { others, base = 0 }: { others: number; base?: number }) {
      scene.begin(base);
      const { toCode } = fill(scene, others);
      scene.page([toCode]);
      scene.send({ evicted: [base + 1] });
      scene.drain();
    },
    breaks: {
      "there was room for it": { others: 18 },
      "there was room for it, in a file that was used before": { others: 18, base: 5 },
    },
    keeps: { "the window was full": { others: 19 } },
  }),

  ...casesOf(rule, {
    play(scene, evicted: number[]) {
      const { toCode, toDesktop } = fill(scene);
      scene.page([toCode]);
      scene.page(toDesktop);
      scene.send({ evicted });
      scene.drain();
    },
    breaks: { "more went than had to": [1, 2] },
    keeps: { "as many went as had to": [1] },
  }),

  ...casesOf(rule, {
    play(scene, { evicted, replaced }: { evicted: number[]; replaced?: boolean }) {
      const { toCode, toDesktop } = fill(scene);
      scene.page([toCode]);
      scene.page(toDesktop);
      scene.send({ evicted: [1] });
      scene.drain();
      if (replaced) scene.replace(1);
      scene.send({ evicted });
      scene.drain();
    },
    breaks: { "one went twice": { evicted: [1] } },
    keeps: {
      "one went after the other": { evicted: [2] },
      "it is another file": { evicted: [1], replaced: true },
    },
  }),

  ...casesOf(rule, {
    play(scene, given: GivenPage) {
      const { toCode } = fill(scene);
      scene.page([toCode]);
      scene.send({ evicted: [1], from: 5_000, to: 5_100 });
      scene.page([{ of: toCode, fresh: false }], { from: 5_200, ...given });
      scene.drain();
    },
    breaks: { "what went is there afterwards": {} },
    keeps: { "what went was there meanwhile": { from: 5_050 } },
  }),

  ...casesOf(rule, {
    play(scene, gone: number) {
      fill(scene);
      scene.send({ evicted: [gone], evicted_unread: [gone] });
      scene.drain();
    },
    breaks: { "an older one stays unread": 2 },
    keeps: { "newer ones stay unread": 1 },
  }),

  // 2 went unread, and 1, for Code, was read
  ...casesOf(rule, {
    play(scene, given: GivenPage) {
      const toCode = readOneAndLose(scene, given);
      scene.page([{ of: toCode, fresh: false }], { from: 6_000 });
      scene.drain();
    },
    breaks: { "one that was read stays, and an unread one went": {} },
    keeps: {
      "it was read only afterwards": { from: 5_150, to: 5_160 },
      "it may have been read only afterwards": { confirmed: 5_001 },
      "nobody knows whether it was read": { confirmed: Number.POSITIVE_INFINITY },
      "its reader cancelled": { cancelled: true },
    },
  }),

  ...casesOf(rule, {
    play(scene, given: GivenPage) {
      readOneAndLose(scene, given);
      scene.send({ evicted: [20] });
      scene.drain();
    },
    breaks: { "one that was read went only after an unread one": {} },
    keeps: { "it was read only in between": { from: 5_110, to: 5_120 } },
  }),

  // the oldest one, for Code, went as read
  ...casesOf(rule, {
    play(scene, { from, failed, told }: { from?: number; failed?: boolean; told?: boolean }) {
      const { toCode } = fill(scene);
      if (from) scene.page([toCode], { from });
      if (failed) failOriginal(scene);
      scene.send({ evicted: [1], from: 5_000, to: 5_100 });
      scene.page(scene.left("desktop"), { told: told ? { ownDropped: [1] } : {} });
      scene.page(scene.left("code"), { reader: "code", told: told ? { dropped: [1] } : {} });
    },
    breaks: { "nobody had seen it": { told: true } },
    keeps: {
      "somebody had seen it": { from: 4_000 },
      "somebody saw it meanwhile": { from: 5_050 },
      "the original may have read it": { failed: true },
    },
  }),
];

/** The original fails to read for Code, and nobody knows whether it marked what there was. */
function failOriginal(scene: Scene) {
  const none = { page: null, confirmed: Number.POSITIVE_INFINITY };
  scene.page([], { ...none, reader: "code", how: "original", from: 4_000, to: 4_500 });
  scene.replace(1, { from: 4_100, to: 4_101 });
  scene.replace(0, { from: 4_300, to: 4_301 });
}
