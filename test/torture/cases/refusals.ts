import type { Trouble } from "../history.ts";
import type { GivenPage } from "../scene.ts";
import { casesOf } from "./case.ts";

const never = Number.POSITIVE_INFINITY;

const locked = "the buffer is locked by another program. Close that program, or try again.";
const full = "there is no room left on the disk of /home; nothing was stored.";
const readOnly = "the buffer is read-only or unreadable to you. Run: chmod 600 /home/buffer";
const replaced = "the buffer is removed or replaced again and again. Stop the program that does it.";
const unopened = "the buffer cannot be opened. Mend the permissions of the folder, and close some files.";
const failed = "the disk of /home failed (EIO). Check the disk and try again.";
const taken = "this page went to another reader, because this server stood still for too long. Ask again.";

const refused = { page: null, confirmed: never };

interface Reason {
  sentence: string;
  kind?: Trouble["kind"];
  /** When the trouble was over. The refusal came at 20,000. */
  over?: number;
}

export const refusalCases = [
  ...casesOf("refusals are sentences of relay's", {
    play(scene, sentence: string) {
      scene.trouble("lock");
      scene.page([], { ...refused, refused: sentence });
    },
    breaks: {
      "they are another program's words": "SQLITE_BUSY: database is locked",
      "something stands after them": `${locked}\n    at open (buffer.ts:1)`,
    },
    keeps: { "relay says so": locked },
  }),

  ...casesOf("a refusal has a reason", {
    play(scene, { sentence, kind, over = 19_900 }: Reason) {
      if (kind) scene.trouble(kind, { from: over - 100, to: over });
      scene.page([], { ...refused, refused: sentence, from: 20_000, to: 20_010 });
    },
    breaks: {
      "nobody locked the file": { sentence: locked },
      "the file was locked long before": { sentence: locked, kind: "lock", over: 4_900 },
      "the file was locked only afterwards": { sentence: locked, kind: "lock", over: 20_200 },
      "it was the clock that jumped": { sentence: locked, kind: "clock" },
      "the disk was not full": { sentence: full, kind: "lock" },
      "the file was not read-only": { sentence: readOnly, kind: "disk" },
      "the file was not replaced": { sentence: replaced, kind: "lock" },
      "nothing kept the file from being opened": { sentence: unopened, kind: "lock" },
      "the disk did not fail": { sentence: failed, kind: "lock" },
    },
    keeps: {
      "the file was locked": { sentence: locked, kind: "lock" },
      "the file was locked just before": { sentence: locked, kind: "lock", over: 19_500 },
      "somebody stood still, and had locked it": { sentence: locked, kind: "stop" },
      "the disk was full": { sentence: full, kind: "disk" },
      "the file was read-only": { sentence: readOnly, kind: "read-only" },
      "the file was replaced": { sentence: replaced, kind: "replaced" },
      "the disk was too full to open the file": { sentence: unopened, kind: "disk" },
      "the disk failed, for it was full": { sentence: failed, kind: "disk" },
    },
  }),

  // the reader stood still from 2,000 on
  ...casesOf("a claim stands for 5 s", {
    play(scene, { to, clock }: { to: number; clock?: boolean }) {
      const actor = scene.actor({ stops: [{ from: 2_000, to: to - 10 }] });
      if (clock) scene.trouble("clock", { from: 2_100, to: 2_100 });
      const given: GivenPage = { ...refused, refused: taken, how: "tool", actor, from: 1_990, to };
      scene.page([], given);
    },
    breaks: { "its reader stood still for 3 s": { to: 5_000 } },
    keeps: {
      "its reader stood still for 6 s": { to: 8_000 },
      "the clock jumped": { to: 5_000, clock: true },
    },
  }),
];
