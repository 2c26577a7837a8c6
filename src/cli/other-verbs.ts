import { version } from "../core/version.ts";
import { command as clear } from "./clear.ts";
import { defineCommand } from "./command.ts";
import { command as completions } from "./completions.ts";
import { command as connect } from "./connect.ts";
import { command as demo } from "./demo.ts";
import { command as disconnect } from "./disconnect.ts";
import { command as doctor } from "./doctor.ts";
import { command as help } from "./help.ts";
import { command as log } from "./log.ts";
import { command as picture } from "./picture.ts";
import { command as resend } from "./resend.ts";
import { command as save } from "./save.ts";
import { command as setup } from "./setup.ts";
import { command as setupCode } from "./setup-code.ts";
import { command as setupDesktop } from "./setup-desktop.ts";
import { command as show } from "./show.ts";
import { command as uninstall } from "./uninstall.ts";

/** The verbs that no Claude waits for. One import loads them all: more imports make more chunks of code, also for every start. */
export const otherVerbs = {
  log,
  show,
  save,
  resend,
  clear,
  doctor,
  demo,
  setup,
  "setup-code": setupCode,
  "setup-desktop": setupDesktop,
  uninstall,
  connect,
  disconnect,
  picture,
  completions,
  help,
  version: defineCommand({
    meta: { name: "version", description: "Print the version" },
    run: ({ data: { print } }) => print(version),
  }),
};
