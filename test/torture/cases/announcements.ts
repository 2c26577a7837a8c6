import type { Client } from "../../../src/core/client.ts";
import type { Actor, Announcement, Span, Trouble } from "../history.ts";
import { casesOf } from "./case.ts";

type Given = Partial<Announcement>;

/** The first announcer, if it is known, and what else went wrong. */
interface Cause {
  actor: Partial<Actor> | null;
  trouble?: [Trouble["kind"], Partial<Span>];
}

const one = { id: 1, token: "t0-1." };

export const announcementCases = [
  ...casesOf("an announcement shows the oldest, and how many", {
    play(scene, { trouble, evicting, ...given }: Given & { trouble?: Trouble["kind"]; evicting?: boolean }) {
      const sent = scene.sends(2);
      if (evicting) scene.send({ how: "original", from: 1_900 });
      if (trouble) scene.trouble(trouble, { from: 1_900, to: 1_900 });
      scene.announce(sent, { from: 2_000, ...given });
      scene.drain();
    },
    breaks: {
      "it shows none": { body: "2 messages: text" },
      "it shows the newer one": { body: "2 messages: t0-2. text" },
      "it tells of more than there are": { body: "3 messages: t0-1. text" },
      "it tells of fewer than there are": { body: "t0-1. text" },
      "it tells of more than there are, and the disk was full": {
        body: "3 messages: t0-1. text",
        trouble: "disk",
      },
      "it tells of more than there are, and somebody stood still": {
        body: "3 messages: t0-1. text",
        trouble: "stop",
      },
      "it tells of fewer later than there are": { body: "3 more: t0-1. text" },
    },
    keeps: {
      "it shows the oldest of two": {},
      "it shows the oldest of two more": { body: "2 more: t0-1. text" },
      "one had to go for a message of the original": { body: "3 messages: t0-1. text", evicting: true },
      "it shows the only one": { body: "t0-1. text", messages: [one] },
      "nobody knows how many there were": { body: "3 messages: t0-1. text", messages: null },
      "the clock jumped, and its lease went on to somebody else": {
        body: "3 messages: t0-1. text",
        trouble: "clock",
      },
    },
  }),

  ...casesOf("what is muted is not announced", {
    play(scene, muted: boolean) {
      scene.announce([scene.send({ muted })]);
      scene.drain();
    },
    breaks: { "it is": true },
    keeps: { "it was not muted": false },
  }),

  ...casesOf("what is muted is not announced", {
    play(scene, muted: boolean) {
      scene.announce([scene.send(), scene.send({ muted })]);
      scene.drain();
    },
    breaks: { "it is, together with another one": true },
    keeps: { "neither was muted": false },
  }),

  ...casesOf("an announcement is for the reader", {
    play(scene, reader: Client) {
      scene.announce([scene.send({ sender: "code" })], { reader });
      scene.drain();
    },
    breaks: { "its author is told": "code" },
    keeps: { "the other client is told": "desktop" },
  }),

  ...casesOf("two tries at most", {
    play(scene, { tries, removed }: { tries: number; removed?: boolean }) {
      const send = scene.send();
      if (removed) scene.remove(0);
      for (let times = 0; times < tries; times++) scene.announce([send], { outcome: "failed" });
      scene.drain();
    },
    breaks: { "there is a third": { tries: 3 } },
    keeps: {
      "there is a second": { tries: 2 },
      "it may be in a file that is gone": { tries: 3, removed: true },
    },
  }),

  // the first notifier ran from 2,000 to 2,100, and there is a second one at 10,000
  ...casesOf("each message is announced once", {
    play(scene, { actor, trouble, ...first }: Omit<Given, "actor"> & Cause) {
      const send = scene.send();
      if (trouble) scene.trouble(...trouble);
      scene.announce([send], { from: 2_000, to: 2_100, actor: actor && scene.actor(actor), ...first });
      scene.announce([send], { from: 10_000 });
      scene.drain();
    },
    breaks: {
      "it is twice": { actor: {} },
      "the first announcer was killed long after": { actor: { killed: 9_000, died: 9_000 } },
      "the first announcer was killed when it had had the time to note it": {
        actor: { killed: 3_200, died: 3_200 },
      },
      "the first announcer had told of it, and ended by itself": { actor: { died: 2_150 } },
      "the first announcer stood still when it had long noted it": {
        actor: { stops: [{ from: 8_000, to: 9_000 }] },
      },
      "the first announcer was asked to end long after": { actor: { asked: 9_000 } },
      "the first announcer stood still after that": { actor: { stops: [{ from: 10_100, to: 11_000 }] } },
      "the disk was full long after": { actor: {}, trouble: ["disk", { from: 9_000 }] },
      "the clock jumped after that": { actor: {}, trouble: ["clock", { from: 10_001 }] },
    },
    keeps: {
      "the first try failed": { actor: {}, outcome: "failed" },
      "the first notifier hung": { actor: {}, outcome: "hang" },
      "the first notifier took too long": { actor: {}, outcome: "slow" },
      "the first announcer was killed": { actor: { killed: 2_050, died: 2_050 } },
      "the first announcer was killed when it may not have noted it yet": {
        actor: { killed: 3_000, died: 3_000 },
      },
      "the first announcer was asked to end": { actor: { asked: 2_050 } },
      "the first announcer stood still": { actor: { stops: [{ from: 2_050, to: 6_000 }] } },
      "the first announcer is not known any more": { actor: null },
      "the disk was full as it was to be noted": { actor: {}, trouble: ["disk", { from: 2_090 }] },
      "the clock jumped, and the lease was over": { actor: {}, trouble: ["clock", { from: 9_000 }] },
      "it was noted in a file that is not there now": { actor: {}, trouble: ["replaced", { from: 9_000 }] },
    },
  }),

  // the second notifier starts when the first one is done, or had too long
  ...casesOf("each message is announced once", {
    play(scene, { from, killed = Number.POSITIVE_INFINITY }: { from: number; killed?: number }) {
      const send = scene.send();
      const actor = scene.actor({ killed, died: killed });
      scene.announce([send], { from: 2_000, to: 2_010, outcome: "slow", actor });
      scene.announce([send], { from });
      scene.drain();
    },
    breaks: { "the first notifier took its time, and not too long": { from: 4_850 } },
    keeps: {
      "the first notifier took too long": { from: 4_950 },
      "the first notifier took its time, and its announcer was killed": { from: 4_850, killed: 4_800 },
    },
  }),
];
