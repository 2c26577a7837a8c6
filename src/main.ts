import { command as clear } from "./cli/clear.ts";
import { runCommandLine } from "./cli/command-line.ts";
import { command as completions } from "./cli/completions.ts";
import { command as demo } from "./cli/demo.ts";
import { command as doctor } from "./cli/doctor.ts";
import { command as get } from "./cli/get.ts";
import { command as hook } from "./cli/hook.ts";
import { command as send } from "./cli/send.ts";
import { command as serve } from "./cli/serve.ts";
import { command as setup } from "./cli/setup.ts";
import { command as setupCode } from "./cli/setup-code.ts";
import { command as setupDesktop } from "./cli/setup-desktop.ts";
import { command as status } from "./cli/status.ts";
import { command as statusline } from "./cli/statusline.ts";
import { command as typed } from "./cli/typed.ts";
import { command as uninstall } from "./cli/uninstall.ts";

const verbs = {
  serve,
  send,
  get,
  status,
  clear,
  doctor,
  demo,
  setup,
  "setup-code": setupCode,
  "setup-desktop": setupDesktop,
  uninstall,
  completions,
  typed,
  hook,
  statusline,
};

process.exit(await runCommandLine(verbs, process.argv.slice(2)));
