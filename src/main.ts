import { command as clear } from "./cli/clear.ts";
import { runCommandLine } from "./cli/command-line.ts";
import { command as get } from "./cli/get.ts";
import { command as send } from "./cli/send.ts";
import { command as status } from "./cli/status.ts";

// What needs the MCP SDK is loaded only when asked for. The rest is small, and a file of its own would cost more.
const verbs = {
  serve: async () => (await import("./server/command.ts")).command,
  send: () => send,
  get: () => get,
  status: () => status,
  clear: () => clear,
  demo: async () => (await import("./cli/demo.ts")).command,
};

process.exit(await runCommandLine(verbs, process.argv.slice(2)));
