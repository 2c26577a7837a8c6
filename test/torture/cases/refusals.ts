import type { Actor, Span, Trouble } from "../history.ts";
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
const takenFromCommand =
  "this page went to another reader, because this command stood still for too long. Run it again.";
const takenFromTyped =
  "this page went to another reader, because this command stood still for too long. Type /get once more.";

const untyped = "nobody typed /get here, or hooks are switched off in this session. Type /get.";

const refused = { page: null, confirmed: never };

interface Reason {
  sentence: string;
  kind?: Trouble["kind"];
  /** When the trouble was over. The refusal came at 20,000. */
  over?: number;
}

/** The hook that went before /get: how long it took, its process, and what else went wrong. */
interface Hooked {
  took?: number;
  actor?: Partial<Actor>;
  trouble?: [Trouble["kind"], Partial<Span>];
  none?: boolean;
}

function because(sentence: string, ...kinds: Trouble["kind"][]): Record<string, Reason> {
  return Object.fromEntries(
    kinds.map((kind) => [`the trouble was "${kind}", and it says: ${sentence}`, { sentence, kind }]),
  );
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
    play(scene, { sentence, kind, over = 19_500 }: Reason) {
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
      ...because(locked, "lock", "stop", "replaced", "disk"),
      ...because(full, "disk"),
      ...because(readOnly, "read-only"),
      ...because(replaced, "replaced"),
      ...because(unopened, "disk", "replaced", "read-only"),
      ...because(failed, "disk", "replaced"),
    },
  }),

  // the hook ran from 2,000 on, and what was typed after it
  ...casesOf("who typed /get is served", {
    play(scene, { took = 50, actor, trouble, none }: Hooked) {
      const hook = { from: 2_000, to: 2_000 + took, actor: scene.actor(actor) };
      if (trouble) scene.trouble(...trouble);
      const asked = { how: "typed", reader: "code", from: 2_500, to: 2_550 } as const;
      scene.page([], { ...refused, ...asked, refused: untyped, ...(none ? {} : { hook }) });
    },
    breaks: {
      "the hook ran in peace": {},
      "no hook ran, for nobody typed it": { none: true },
      "the disk was full long before": { trouble: ["disk", { from: 500, to: 900 }] },
      "the disk was full only afterwards": { trouble: ["disk", { from: 2_600 }] },
    },
    keeps: {
      "the hook gave up waiting for the file": { took: 260 },
      "the hook was killed": { actor: { killed: 2_040, died: 2_040 } },
      "the disk was full": { trouble: ["disk", { from: 1_500, to: 2_020 }] },
      "the clock jumped, and the ticket was over": { trouble: ["clock", { from: 2_300 }] },
    },
  }),

  // the reader stood still from 2,000 on
  ...casesOf("a claim stands for 5 s", {
    play(scene, { to, trouble, said = taken }: { to: number; trouble?: Trouble["kind"]; said?: string }) {
      const actor = scene.actor({ stops: [{ from: 2_000, to: to - 10 }] });
      if (trouble) scene.trouble(trouble, { from: 2_100, to: 2_100 });
      const given: GivenPage = { ...refused, refused: said, how: "tool", actor, from: 1_990, to };
      scene.page([], given);
    },
    breaks: {
      "its reader stood still for 3 s": { to: 5_000 },
      "a command stood still for 3 s": { to: 5_000, said: takenFromCommand },
      "its reader stood still for 3 s, and the disk was full": { to: 5_000, trouble: "disk" },
    },
    keeps: {
      "its reader stood still for 6 s": { to: 8_000 },
      "a command stood still for 6 s": { to: 8_000, said: takenFromCommand },
      "/get stood still for 6 s": { to: 8_000, said: takenFromTyped },
      "the clock jumped": { to: 5_000, trouble: "clock" },
      "the file was replaced": { to: 5_000, trouble: "replaced" },
    },
  }),
];
