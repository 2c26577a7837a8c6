import type { Client } from "../../../src/core/client.ts";
import type { Announcement } from "../history.ts";
import type { Row } from "../settle.ts";
import { casesOf } from "./case.ts";

interface Told {
  told?: Announcement["outcome"];
  muted?: boolean;
}

/** How many tries were heard of, how many announcers were killed, and whether the clock jumped. */
interface Tries {
  heard: number;
  outcome?: Announcement["outcome"];
  cutOff?: number;
  jump?: boolean;
}

export const silenceCases = [
  ...casesOf("what counts as announced was announced", {
    play(scene, { told, muted = false, ...row }: Partial<Row> & Told) {
      const send = scene.send({ muted });
      if (told) scene.announce([send], { outcome: told });
      scene.row(send, { notified_at: "2026-11-25T04:00:00Z", notify_tries: 1, ...row });
      scene.drain();
    },
    breaks: { "nobody heard of it": {}, "nobody was shown it": { told: "failed" } },
    keeps: {
      "somebody was told": { told: "shown" },
      "somebody was told in the end": { told: "slow" },
      "it was read": { read: 1 },
      "it was muted": { muted: true },
    },
  }),

  // an announcement tells of two, and nobody knows of which beside the first
  ...casesOf("what counts as announced was announced", {
    play(scene, { sender, from = 2_000 }: { sender: Client; from?: number }) {
      const other = scene.send({ sender, from: 500 });
      const send = scene.send({ from: 1_000 });
      const body = `2 messages: ${other.text}`;
      scene.announce([other], { body, messages: null, from, to: from + 10 });
      scene.row(other, { read: 1 });
      scene.row(send, { notified_at: "2026-11-25T04:00:00Z", notify_tries: 1 });
      scene.drain();
    },
    breaks: {
      "the announcement was for Code": { sender: "desktop" },
      "the announcement was over before it was sent": { sender: "code", from: 600 },
    },
    keeps: { "it may have been told in the announcement": { sender: "code" } },
  }),

  // two servers end in peace at the end of each round, and one was asked to end before the message was sent
  ...casesOf("never announced only after two tries", {
    play(scene, { heard, outcome = "failed", cutOff = 0, jump, ...row }: Partial<Row> & Tries) {
      scene.actor({ asked: 500, died: 600 });
      const send = scene.send({ from: 1_000 });
      for (let times = 0; times < heard; times++) scene.announce([send], { outcome });
      for (let times = 0; times < cutOff; times++) scene.actor({ killed: 2_000, died: 2_000 });
      if (jump) scene.trouble("clock", { from: 2_100, to: 2_100 });
      scene.rest(60_000);
      scene.row(send, { notify_tries: 2, ...row });
      scene.drain();
      for (const asked of [90_000, 91_000]) scene.actor({ asked, died: asked });
    },
    breaks: {
      "nobody tried": { heard: 0, notify_tries: 0 },
      "one try failed, and nobody tried again": { heard: 1, notify_tries: 1 },
      "one try failed, and nobody heard of the other": { heard: 1 },
      "one announcer was killed, and nobody heard of either": { heard: 0, cutOff: 1, leased: 1 },
      "two announcers were killed, and a lease stands longer than the round": {
        heard: 0,
        cutOff: 2,
        leased: 1,
      },
      "the announcer was killed, and no lease is left of that": { heard: 0, cutOff: 2, jump: true },
    },
    keeps: {
      "two tries failed": { heard: 2 },
      "one try failed, and the other announcer was killed": { heard: 1, cutOff: 1 },
      "one notifier hung, and the other announcer was killed": { heard: 1, outcome: "hang", cutOff: 1 },
      "two announcers were killed, and the clock ended a lease": {
        heard: 0,
        cutOff: 2,
        jump: true,
        leased: 1,
      },
      "it was read": { heard: 0, read: 1 },
    },
  }),
];
