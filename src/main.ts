import { command as clear } from "./cli/clear.ts";
import { runCommandLine } from "./cli/command-line.ts";
import { command as completions } from "./cli/completions.ts";
import { command as demo } from "./cli/demo.ts";
import { command as doctor } from "./cli/doctor.ts";
import { command as get } from "./cli/get.ts";
import { command as hook } from "./cli/hook.ts";
import { command as send } from "./cli/send.ts";
import { command as status } from "./cli/status.ts";
import { command as statusline } from "./cli/statusline.ts";
import { command as typed } from "./cli/typed.ts";
import { command as serve } from "./server/command.ts";

const verbs = { serve, send, get, status, clear, doctor, demo, completions, typed, hook, statusline };

process.exit(await runCommandLine(verbs, process.argv.slice(2)));
