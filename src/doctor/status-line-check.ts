import { stablePath } from "../setup/program.ts";
import { canAppend, isRelaysLine, parseLine, refreshSeconds } from "../setup/status-line.ts";
import { type Check, ok, warn } from "./check.ts";
import { serverIn } from "./configuration.ts";

/** Whether a message that arrives in an idle session comes to its screen. */
export const checkStatusLine: Check = ({ configuration: { settings, code }, context }) => {
  const { executable, system } = context;
  const name = "status line";
  if (serverIn(code) === undefined) return [];
  const fix = "Run: relay setup --statusline";
  const file = settings.find(({ at }) => at(["statusLine"]) !== undefined);
  const line = file?.at(["statusLine"]);
  const found = parseLine(line);
  if (!file) return [ok(name, `there is none; relay setup --statusline adds one, with what waits`)];
  if (file.scope !== "user") return [ok(name, `is that of ${file.path}`)];
  if (!found || !isRelaysLine(line, stablePath(executable, system)))
    return [ok(name, `is your own${canAppend(context) ? "; relay setup --statusline puts what waits after it" : ""}`)];
  if (!system.exists(found.program) && found.program !== "relay")
    return [warn(name, `runs ${found.program}, which does not exist`, fix)];
  const seconds = file.at(["statusLine", "refreshInterval"]);
  if (typeof seconds !== "number") {
    return [warn(name, "is in the form of an older relay, and shows nothing new while a session is idle", fix)];
  }
  const yours = found.theirs === null ? "" : " after your own";
  const often = seconds === refreshSeconds ? "" : `, every ${seconds} s`;
  return [ok(name, `shows what waits${yours}${often}`)];
};
