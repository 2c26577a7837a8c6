import type { GivenSend } from "../scene.ts";
import { casesOf } from "./case.ts";

const locked = "the buffer is locked by another program. Close that program, or try again.";

export const sendCases = [
  ...casesOf("the window is 20", {
    play(scene, { others = 0, unread }: { others?: number; unread: number }) {
      scene.sends(others);
      scene.send({ unread });
      scene.drain();
    },
    breaks: { "21 are said to wait": { others: 19, unread: 21 } },
    keeps: { "20 wait": { others: 19, unread: 20 }, "the message itself waits": { unread: 1 } },
  }),

  ...casesOf("the window is 20", {
    play(scene, count: number) {
      const sent = [...scene.sends(20), scene.send({ receipt: null })];
      scene.replace(1);
      scene.keep(0, sent.slice(-count));
    },
    breaks: { "21 lie in the file": 21 },
    keeps: { "20 lie in the file": 20 },
  }),

  ...casesOf("what is refused is not stored", {
    play(scene, { replaced, ...given }: GivenSend & { replaced?: boolean }) {
      scene.trouble("lock");
      const send = scene.send({ receipt: null, to: 3_000, ...given });
      if (replaced) scene.replace(1, { from: 2_000, to: 2_001 });
      scene.page([send]);
    },
    breaks: { "it was refused and is on a page": { refused: locked } },
    keeps: {
      "nobody knows what became of it": { refused: null },
      "the file was replaced meanwhile, and it may have got into the other one": {
        refused: locked,
        replaced: true,
      },
    },
  }),

  ...casesOf("ids are given once", {
    play(scene, { id, replaced }: { id: number; replaced?: boolean }) {
      scene.page([scene.send({ id: 1 })]);
      if (replaced) scene.replace(1);
      scene.page([scene.send({ id })]);
    },
    breaks: { "two messages have the same": { id: 1 } },
    keeps: {
      "they have not": { id: 2 },
      "the second is in another file": { id: 1, replaced: true },
    },
  }),

  ...casesOf("ids grow", {
    play(scene, { replaced, ...given }: GivenSend & { replaced?: boolean }) {
      scene.send({ id: 1, from: 1_000, to: 2_000 });
      scene.send({ id: 3, from: 1_000, to: 1_500 });
      if (replaced) {
        scene.drain();
        scene.replace(1);
      }
      scene.send(given);
      scene.drain();
    },
    breaks: {
      "a later message has a smaller one": { id: 2 },
      "a message that was sent after another one has a smaller one": { id: 2, from: 1_700 },
    },
    keeps: {
      "a later message has a greater one": { id: 4 },
      "it was sent before the others were acknowledged": { id: 2, from: 1_400 },
      "it is in another file": { id: 2, replaced: true },
    },
  }),
];
