import type { Client } from "../core/client.ts";
import { RelayError } from "../core/errors.ts";
import { checkSound } from "../core/validate.ts";
import type { Environment } from "../platform/environment.ts";
import { watchOutside } from "../server/lifecycle.ts";
import { defineCommand } from "./command.ts";

// Long enough for a laptop's night to be somebody's choice, short enough to find a client that vanished.
const defaultIdleSeconds = 3_600;

export const command = defineCommand({
  meta: { name: "serve", description: "Serve MCP on standard input and output, as both Claudes start it" },
  args: {
    client: {
      type: "enum",
      options: ["desktop", "code"],
      description: "Whose server it is, if the client does not say",
    },
    debug: { type: "boolean", description: "Tell requests and outcomes on standard error, never texts" },
    sound: {
      type: "string",
      valueHint: "[name]|off",
      description: "The sound of the client's notifications (the system's own if no name is given)",
    },
    "idle-timeout": {
      type: "string",
      valueHint: "seconds",
      description: `Ping a client that asked nothing for so long (default ${defaultIdleSeconds}, 0 is never)`,
    },
  },
  async run({ args, data }) {
    const outside = watchOutside();
    const { environment } = data as { environment: Environment };
    const client = args.client as Client | undefined;
    const idleTimeout = checkIdle(args["idle-timeout"]);
    const sound = checkSound(args.sound);
    const { serve } = await import("../server/server.ts"); // the MCP SDK is not for those who only count messages
    await serve({ client, debug: args.debug ?? false, sound, idleTimeout }, environment, outside);
  },
});

function checkIdle(value: string | undefined): number {
  if (value === undefined) return defaultIdleSeconds;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value);
  throw new RelayError("usage", `--idle-timeout is "${value}"; it must be a number of seconds. 0 is never.`);
}
