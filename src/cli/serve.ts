import { isAbsolute } from "node:path";
import { RelayError } from "../core/errors.ts";
import { checkSound } from "../core/validate.ts";
import { watchEndCauses } from "../server/lifecycle.ts";
import { defineCommand } from "./command.ts";

// A client that vanished leaves its server running for this long, and then for five pings.
const defaultIdleSeconds = 3_600;

export const command = defineCommand({
  meta: { name: "serve", description: "Run the MCP server on standard input and output" },
  args: {
    client: {
      type: "enum",
      options: ["desktop", "code"],
      description: "Whose server it is, if the client does not say",
    },
    debug: { type: "boolean", description: "Log requests to stderr, never message text" },
    sound: {
      type: "string",
      valueHint: "[NAME]|off",
      suggestions: ["off"],
      optional: true,
      description: "The sound of the client's notifications (the system's own if no name is given)",
    },
    "allow-files": {
      type: "string",
      valueHint: "DIR|off",
      repeatable: true,
      description: "A folder from which the client's model may send files, besides the client's own roots",
    },
    "idle-timeout": {
      type: "string",
      valueHint: "SECONDS",
      description: `Seconds without a request before the client is pinged (${defaultIdleSeconds}; 0 = never)`,
    },
  },
  async run({ args: { client, debug = false, ...args }, data: { environment } }) {
    const endCauses = watchEndCauses();
    const idleTimeout = checkIdle(args["idle-timeout"]);
    const sound = checkSound(args.sound);
    const { serve } = await import("../server/server.ts"); // the MCP SDK takes long to load
    const { "allow-files": allowed = [] } = args;
    const allowedFolders = allowed.filter(isAbsolute); // setup also writes "off"
    await serve({ client, debug, sound, allowedFolders, idleTimeout }, environment, endCauses);
  },
});

function checkIdle(value: string | undefined): number {
  if (value === undefined) return defaultIdleSeconds;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value);
  throw new RelayError("usage", `--idle-timeout is "${value}"; it must be a number of seconds`, "Use 0 for never.");
}
