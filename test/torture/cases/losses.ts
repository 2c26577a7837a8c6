import type { Client } from "../../../src/core/client.ts";
import type { Clear } from "../history.ts";
import type { Told } from "../page.ts";
import type { GivenPage, GivenSend, Scene } from "../scene.ts";
import { casesOf } from "./case.ts";

const rule = "every acknowledged message is read, or told as lost to both sides";

const never = Number.POSITIVE_INFINITY;

/** Desktop, who is to read, and Code, the author, hear of losses. */
function tell(scene: Scene, toReader: Partial<Told>, toAuthor: Partial<Told>) {
  scene.page([], { told: toReader });
  scene.page([], { reader: "code", told: toAuthor });
}

const dropped = { toReader: { dropped: [1] }, toAuthor: { ownDropped: [1] } };

interface Tellings {
  toReader: Partial<Told>;
  toAuthor: Partial<Told>;
}

export const lossCases = [
  ...casesOf(rule, {
    play(scene, { toReader, toAuthor }: Tellings) {
      scene.send();
      tell(scene, toReader, toAuthor);
    },
    breaks: {
      "nobody hears of it": { toReader: {}, toAuthor: {} },
      "its author does not hear of it": { ...dropped, toAuthor: {} },
      "its reader does not hear of it": { ...dropped, toReader: {} },
      "its reader hears of another one": { ...dropped, toReader: { dropped: [2] } },
      "both hear of one that was cleared, and none was": {
        toReader: { uncounted: 1 },
        toAuthor: { ownUncounted: 1 },
      },
    },
    keeps: { "both hear that it was dropped": dropped },
  }),

  ...casesOf(rule, {
    play: (scene, given: GivenPage) => scene.page([scene.send()], given),
    breaks: { "its reader only looked at it": { marks: false } },
    keeps: { "its reader got it": {} },
  }),

  // a page that nobody waited for any more
  ...casesOf(rule, {
    play(scene, { again, peace = 0, ...given }: GivenPage & { again?: boolean; peace?: number }) {
      const send = scene.send();
      scene.rest(peace);
      scene.page([send], { how: "tool", cancelled: true, confirmed: never, ...given });
      if (again) scene.page([{ of: send, maybe: true }]);
      tell(scene, {}, {});
    },
    breaks: { "its reader had cancelled, and it was not offered again": {} },
    keeps: {
      "its reader had cancelled, and it was offered again": { again: true },
      "its reader had cancelled, and its server may have been killed": { peace: 9_000 },
      "its reader had not cancelled": { cancelled: false },
    },
  }),

  ...casesOf(rule, {
    play(scene, { replaced, removed, ...given }: GivenSend & { replaced?: boolean; removed?: number }) {
      scene.send({ to: 3_000, ...given });
      if (replaced) scene.replace(1, { from: 2_000, to: 2_001 });
      if (removed !== undefined) scene.remove(removed);
      tell(scene, {}, {});
    },
    breaks: {
      "it was acknowledged": {},
      "another file was removed": { removed: 7 },
    },
    keeps: {
      "it was not acknowledged": { receipt: null },
      "its file was removed": { removed: 0 },
      "its file was replaced meanwhile": { replaced: true },
    },
  }),

  // the original found its journal gone as it read, and 2 ms later nobody knows what it marked
  ...casesOf(rule, {
    play(scene, { replaced, ...given }: GivenPage & { replaced: boolean }) {
      scene.send();
      scene.page([], { page: null, how: "original", from: 1_500, to: 4_000, confirmed: never, ...given });
      if (replaced) scene.replace(1, { from: 2_000, to: 2_001 });
      if (replaced) scene.replace(0, { from: 3_000, to: 3_001 });
      tell(scene, {}, {});
    },
    breaks: {
      "the original failed, and no file was replaced": { replaced: false },
      "the original read it for the other client": { replaced: true, reader: "code" },
      "relay failed, and not the original": { replaced: true, how: "command" },
    },
    keeps: { "the original failed as the file was replaced": { replaced: true } },
  }),

  // another file was at the path for a while, and its messages have ids of their own
  ...casesOf(rule, {
    play(scene, { told, by }: { told?: boolean; by?: Client }) {
      scene.send();
      scene.replace(1, { from: 2_000, to: 2_001 });
      if (told) tell(scene, dropped.toReader, dropped.toAuthor);
      if (by) scene.clear({ by });
      scene.replace(0, { from: 5_000, to: 5_001 });
      tell(scene, {}, by ? { ownUncounted: 1 } : {});
    },
    breaks: {
      "both hear that one of another file was dropped": { told: true },
      "its reader cleared another file": { by: "desktop" },
    },
    keeps: {},
  }),

  // it found no more than the latest 20, and what is newer had been read
  ...casesOf(rule, {
    play(scene, newer: number) {
      scene.send();
      scene.page(scene.sends(19));
      if (newer > 19) scene.page([scene.send({ evicted: [2] })]);
      scene.page([], { page: null, how: "original", from: 5_000, to: 6_000, confirmed: never });
      scene.replace(1, { from: 5_300, to: 5_301 });
      scene.replace(0, { from: 5_600, to: 5_601 });
      tell(scene, {}, {});
    },
    breaks: { "the original failed, and did not look so far back": 20 },
    keeps: { "the original failed, and looked so far back": 19 },
  }),

  ...casesOf(rule, {
    play(scene, { told, clear }: { told: Tellings; clear?: Partial<Clear> }) {
      scene.send();
      scene.trouble("lock"); // a reason to refuse
      scene.clear({ from: 2_000, ...clear });
      tell(scene, told.toReader, told.toAuthor);
    },
    breaks: {
      "nobody hears that it was cleared": { told: { toReader: {}, toAuthor: {} } },
      "its reader, who cleared it, hears of it, and its author does not": {
        told: { toReader: { uncounted: 1 }, toAuthor: {} },
        clear: { by: "desktop" },
      },
      "its author, who cleared it, hears of it, and its reader does not": {
        told: { toReader: {}, toAuthor: { ownUncounted: 1 } },
        clear: { by: "code" },
      },
      "both hear of something cleared, and that was before": {
        told: { toReader: { uncounted: 1 }, toAuthor: { ownUncounted: 1 } },
        clear: { from: 500 },
      },
      "both hear of something cleared, and it was refused": {
        told: { toReader: { uncounted: 1 }, toAuthor: { ownUncounted: 1 } },
        clear: {
          done: false,
          refused: "the buffer is locked by another program. Close that program, or try again.",
        },
      },
    },
    keeps: {
      "both hear that it was cleared": {
        told: { toReader: { uncounted: 1 }, toAuthor: { ownUncounted: 1 } },
      },
      "its reader cleared it, and its author hears of it": {
        told: { toReader: {}, toAuthor: { ownUncounted: 1 } },
        clear: { by: "desktop" },
      },
      "its author cleared it, and its reader hears of it": {
        told: { toReader: { uncounted: 1 }, toAuthor: {} },
        clear: { by: "code" },
      },
    },
  }),

  // of two clears it was the first one, by somebody else than its reader
  ...casesOf(rule, {
    play(scene, first: Partial<Clear>) {
      scene.send();
      scene.clear({ from: 2_000, ...first });
      scene.clear({ from: 5_000, by: "desktop" });
      tell(scene, {}, { ownUncounted: 1 });
    },
    breaks: { "its reader does not hear of it, and cleared when it was gone": {} },
    keeps: {
      "nobody knows whether the first one cleared anything": { done: false },
      "the first one may have come before it": { from: 1_005 },
    },
  }),

  ...casesOf(rule, {
    play(scene, sent: number) {
      scene.sends(sent);
      scene.clear();
      tell(scene, { uncounted: 2 }, { ownUncounted: 2 });
    },
    breaks: { "fewer are told as cleared than were": 3 },
    keeps: { "as many are told as cleared as were": 2 },
  }),

  // the author hears of it in the receipt of what it had to make room for
  ...casesOf(rule, {
    play(scene, sender: Client) {
      scene.sends(20);
      scene.send({ sender, evicted: [1], evicted_unread: [1] });
      scene.page(scene.left("desktop"), { told: dropped.toReader });
      scene.page(scene.left("code"), { reader: "code" });
    },
    breaks: { "its author hears nothing of what another one's message drove out": "desktop" },
    keeps: { "its author drove it out, and had that in the receipt": "code" },
  }),

  ...casesOf("what lay in a renamed file still does", {
    play(scene, { count = 2, left, cleared }: { count?: number; left: number; cleared?: boolean }) {
      const sent = scene.sends(Math.min(count, 20));
      if (count > 20) sent.push(scene.send({ evicted: [1], evicted_unread: [1] }));
      if (cleared) scene.clear();
      scene.replace(1);
      scene.keep(0, sent.slice(count - left));
    },
    breaks: {
      "one is not in it": { left: 1 },
      "two are not in it, and one had to go": { count: 21, left: 19 },
    },
    keeps: {
      "all are": { left: 2 },
      "it was cleared": { left: 0, cleared: true },
      "one had to go": { count: 21, left: 20 },
    },
  }),
];
