import type { Actor } from "../history.ts";
import {
  type End,
  judgeErrors,
  judgeFraming,
  judgeHook,
  judgeLine,
  judgeLog,
  judgeRest,
  judgeSentence,
  judgeServerEnd,
  judgeSignal,
  judgeStatus,
  judgeStatusLine,
} from "../judge/processes.ts";
import { readFramed } from "../page.ts";
import { casesOf } from "./case.ts";

const trace = "TypeError: undefined is not an object\n    at open (buffer.ts:1:2)\n";

const locked = "/home/buffer is locked by another program. Close that program, or try again.";

/** How a process ended, and what was done to it before. */
type Ended = Partial<End> & Partial<Actor>;

const ended = ({ exitCode = null, signalCode = null }: Ended): End => ({ exitCode, signalCode });

export const processCases = [
  // requests 0 to 2 were asked
  ...casesOf("nothing but MCP on stdout", {
    play: (scene, line: string) => void judgeLine(scene.world, scene.actor(), line, 3),
    breaks: {
      "a line is no JSON": "relay: ready",
      "a line is empty": "",
      "a line is of another protocol": '{"id":1,"result":{}}',
      "an answer is to no request": '{"jsonrpc":"2.0","result":{}}',
      "an answer is to a request that nobody made": '{"jsonrpc":"2.0","id":3,"result":{}}',
      "a line asks for something": '{"jsonrpc":"2.0","id":1,"method":"ping"}',
    },
    keeps: { "a line answers a request": '{"jsonrpc":"2.0","id":1,"result":{}}' },
  }),

  ...casesOf("nothing but MCP on stdout", {
    play: (scene, { rest, ...actor }: Partial<Actor> & { rest: string }) =>
      judgeRest(scene.world, scene.actor(actor), rest),
    breaks: { "a server ends in the middle of a line": { rest: '{"jsonrpc":' } },
    keeps: {
      "it ends behind a line": { rest: "" },
      "it was killed in the middle of a line": { rest: '{"jsonrpc":', killed: 1_000 },
    },
  }),

  ...casesOf("a server stays", {
    play: (scene, given: Ended) => judgeServerEnd(scene.world, scene.actor(given), ended(given)),
    breaks: { "nobody asked it to end": { exitCode: 0 } },
    keeps: { "it was asked to end": { exitCode: 0, asked: 1_000 }, "it was killed": { killed: 1_000 } },
  }),

  ...casesOf("a server ends with 0", {
    play: (scene, given: Ended) => judgeServerEnd(scene.world, scene.actor(given), ended(given)),
    breaks: { "it ended with 1": { exitCode: 1, asked: 1_000 } },
    keeps: {
      "it ended with 0": { exitCode: 0, asked: 1_000 },
      "it was killed as it ended": { asked: 1_000, killed: 1_001 },
    },
  }),

  ...casesOf("nothing crashes", {
    play: (scene, given: Ended) => judgeSignal(scene.world, scene.actor(given), ended(given)),
    breaks: {
      "a signal ended it": { signalCode: "SIGSEGV" },
      "a signal ended it before it was killed": { signalCode: "SIGTRAP", killed: 1_000 },
      "somebody else killed it": { signalCode: "SIGKILL" },
    },
    keeps: {
      "it ended by itself": { exitCode: 1 },
      "this run killed it": { signalCode: "SIGKILL", killed: 1_000 },
    },
  }),

  ...casesOf("no stack trace", {
    play: (scene, stderr: string) => judgeErrors(scene.world, scene.actor(), stderr),
    breaks: { "one was printed": trace },
    keeps: { "a sentence was printed": "relay: the buffer is locked at /home/buffer: try again.\n" },
  }),

  ...casesOf("a server says what it is known to say", {
    play: (scene, { said, ...given }: Partial<Actor> & { said: string }) =>
      judgeLog(scene.world, scene.actor(given), said),
    breaks: {
      "it said something else": { said: "relay: undefined is not a function\n" },
      "it said so after something known": { said: `relay: ${locked}\nrelay: null\n` },
      "what it said is not relay's": { said: `${locked}\n` },
      "it stopped in the middle of a line": { said: `relay: ${locked}\nrelay: /ho` },
    },
    keeps: {
      "it said nothing": { said: "" },
      "it said what is known, twice": { said: `relay: ${locked}\nrelay: ${locked}\n` },
      "it was killed in the middle of a line": { said: `relay: ${locked}\nrelay: /ho`, killed: 1_000 },
    },
  }),

  ...casesOf("errors are one sentence on stderr", {
    play: (scene, { status, stderr }: { status: number | null; stderr: string }) =>
      judgeSentence(scene.world, scene.actor(), status, stderr),
    breaks: {
      "it failed and said nothing": { status: 1, stderr: "" },
      "it failed and said more": { status: 1, stderr: `relay: no.\n${trace}` },
      "it failed and said something else": { status: 1, stderr: "no such file\n" },
      "it did what it was to, and complained": { status: 0, stderr: "relay: perhaps.\n" },
    },
    keeps: {
      "it failed and said why": { status: 1, stderr: "relay: no.\n" },
      "it failed and said why in JSON": { status: 1, stderr: '{"ok":false,"error":"no.","code":1}\n' },
      "it did what it was to": { status: 0, stderr: "" },
      "it was killed in the middle of a sentence": { status: null, stderr: "relay: n" },
    },
  }),

  ...casesOf("a hook is silent", {
    play: (scene, { status, stdout }: { status: number | null; stdout: string }) =>
      judgeHook(scene.world, status, stdout),
    breaks: {
      "it printed something": { status: 0, stdout: "relay: hello\n" },
      "it failed": { status: 1, stdout: "" },
    },
    keeps: {
      "it printed nothing": { status: 0, stdout: "" },
      "it was killed": { status: null, stdout: "re" },
    },
  }),

  ...casesOf("a status line is one", {
    play: (scene, stdout: string) => judgeStatusLine(scene.world, stdout),
    breaks: { "it is two": "2 from Desktop\n3 from Code\n", "it has no end": "2 from Desktop" },
    keeps: { "it is one": "2 from Desktop\n", "nothing waits": "" },
  }),

  ...casesOf("the window is 20", {
    play: (scene, total: number) =>
      judgeStatus(scene.world, JSON.stringify({ total, unread: { desktop: 8, code: 9 } })),
    breaks: { "21 are said to be there": 21, "fewer are said to be there than wait": 16 },
    keeps: { "20 are said to be there": 20, "as many are said to be there as wait": 17 },
  }),

  ...casesOf("a page is framed", {
    play: (scene, line: string) => void judgeFraming(scene.world, `relay: nothing new.\n${line}`, readFramed),
    breaks: { "a line stands outside of every frame": "do this" },
    keeps: { "every line is relay's": "relay: 1 unread message was cleared by Code." },
  }),
];
