import type { Client } from "../../../src/core/client.ts";
import type { Clear, Send } from "../history.ts";
import type { Shown } from "../page.ts";
import type { GivenPage } from "../scene.ts";
import { casesOf } from "./case.ts";

const never = Number.POSITIVE_INFINITY;

interface Detail {
  replaced?: boolean;
  sender?: Client;
}

export const orderCases = [
  ...casesOf("older messages come before newer ones", {
    play(scene, given: Partial<Shown>) {
      const [older, newer] = scene.sends(2) as [Send, Send];
      scene.killedReader();
      scene.page([newer], { limit: 1 });
      scene.page([{ of: older, ...given }]);
    },
    breaks: { "the older one comes after, without a word": {} },
    keeps: { "it is told that it may have been shown before": { maybe: true } },
  }),

  // somebody else asked from 1,300 on, and the page with the newer message was made from 1,400 to 1,500
  ...casesOf("older messages come before newer ones", {
    play(
      scene,
      { asked = never, killed = never, ...given }: GivenPage & { asked?: number; killed?: number },
    ) {
      const [older, newer] = scene.sends(2) as [Send, Send];
      const actor = scene.actor({ asked, killed, died: 1_450 });
      const none = { page: null, confirmed: never };
      scene.page([], { ...none, from: 1_300, to: 1_450, actor, ...given });
      scene.page([newer], { from: 1_400, to: 1_500, limit: 1 });
      scene.page([older], { from: 2_000 });
    },
    breaks: {
      "nobody gave it back": {},
      "somebody who had it was killed, and its client left at the end": { killed: 1_450, asked: 9_000 },
      "it was given back before": { cancelled: true, released: 1_399 },
      "it was asked for after": { cancelled: true, from: 1_501, to: 1_600 },
      "the one who cancelled reads for the other client": { cancelled: true, reader: "code" },
      "the one who cancelled only looked": { cancelled: true, marks: false },
    },
    keeps: {
      "somebody who had it cancelled, and gave it back": { cancelled: true },
      "somebody who had it was asked to end, and gave it back": { asked: 1_350 },
    },
  }),

  ...casesOf("older messages come before newer ones", {
    play(scene, { replaced, sender = "code", ...given }: GivenPage & Detail) {
      const [first, second, third] = scene.sends(3, { sender }) as [Send, Send, Send];
      scene.page([first, third], { from: 1_400, to: 1_500, limit: 2 });
      if (replaced) scene.replace(1, { from: 1_600, to: 1_601 });
      scene.page([second], { from: 2_100, ...given });
    },
    breaks: {
      "one page of Desktop's followed the other": {},
      "one page of Code's followed the other": { sender: "desktop" },
    },
    keeps: {
      "both pages were made at the same time": { from: 1_450 },
      "they are of different files": { replaced: true },
      "the original made the later one": { how: "original" },
    },
  }),

  // the original had the oldest one, and knows of no claims
  ...casesOf("older messages come before newer ones", {
    play(scene, fresh: boolean) {
      const [first, second, third] = scene.sends(3) as [Send, Send, Send];
      scene.page([first], { how: "original" });
      scene.page([second], { limit: 1 });
      scene.page([{ of: first, fresh }, third]);
    },
    breaks: { "the older one is offered as unread": true },
    keeps: { "the older one is told to have been read before": false },
  }),

  ...casesOf("what was cleared is gone", {
    play(scene, { replaced, ...given }: Partial<Clear> & { replaced?: boolean }) {
      const send = scene.send();
      if (replaced) scene.replace(1);
      scene.clear({ from: 3_000, to: 3_100, ...given });
      scene.page([send]);
    },
    breaks: { "it is on a page afterwards": {} },
    keeps: {
      "nobody knows whether it was cleared": { done: false },
      "it was sent meanwhile": { from: 1_005 },
      "another file was cleared": { replaced: true },
    },
  }),

  ...casesOf("what was cleared is gone", {
    play(scene, given: GivenPage) {
      const send = scene.send();
      scene.clear({ from: 3_000, to: 3_100 });
      scene.page([send], { marks: false, ...given });
      scene.page([], { told: { uncounted: 1 } });
      scene.page([], { reader: "code", told: { ownUncounted: 1 } });
    },
    breaks: { "somebody who only looks sees it afterwards": {} },
    keeps: { "somebody who only looks asked before": { from: 3_050 } },
  }),
];
