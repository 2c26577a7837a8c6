import { runCommandLine } from "./cli/command-line.ts";
import { command as get } from "./cli/get.ts";
import { command as hook } from "./cli/hook.ts";
import { command as send } from "./cli/send.ts";
import { command as serve } from "./cli/serve.ts";
import { command as status } from "./cli/status.ts";
import { command as statusline } from "./cli/statusline.ts";
import { command as typed } from "./cli/typed.ts";

// The verbs that a Claude or its person waits for. The others are in cli/other-verbs.ts.
const verbs = { serve, send, get, status, typed, hook, statusline };

// An `await` here would keep the bundler from one chunk for all that these verbs share with others.
void runCommandLine(verbs, process.argv.slice(2)).then((status) => process.exit(status));
