import { runCommandLine } from "./cli/command-line.ts";

const status = await runCommandLine(
  {
    serve: () => import("./server/command.ts"),
    send: () => import("./cli/send.ts"),
    get: () => import("./cli/get.ts"),
    status: () => import("./cli/status.ts"),
    clear: () => import("./cli/clear.ts"),
    demo: () => import("./cli/demo.ts"),
  },
  process.argv.slice(2),
);
process.exit(status);
