import { dirname } from "node:path";
import { clients, clientTitle } from "../core/client.ts";
import { windowSize } from "../core/limits.ts";
import { type Check, type Finding, fail, failed, ok, warn } from "./check.ts";
import { type Inspection, inspectBuffer, oddDisk } from "./inspect.ts";

/** The buffer: where it is, whose, what is in it, and whether its disk can be trusted. */
export const checkBuffer: Check = ({ bufferPath }) => {
  try {
    const path = bufferPath();
    const found = inspectBuffer(path);
    return [
      ...(found ? tell(path, found) : [ok("buffer", `${path} is not there yet; the first message makes it`)]),
      ...disk(found?.file ?? path),
    ];
  } catch (error) {
    return [failed("buffer", error)];
  }
};

function tell(path: string, { mode, owner, schema, counts, damage, busy }: Inspection): Finding[] {
  if (damage) return [fail("buffer", `${path} is damaged: ${damage}`, "Run: relay doctor --repair")];
  if (busy) {
    return [
      warn(
        "buffer",
        `${path} is being written, or was when its writer crashed`,
        "Run: relay status, then this again.",
      ),
    ];
  }
  const permissions =
    process.platform === "win32" ? "" : `, mode ${mode.toString(8).padStart(4, "0")}, uid ${owner}`;
  const content = counts
    ? `${counts.total} of ${windowSize} messages, ${clients.map((client) => `${counts.unread[client]} unread for ${clientTitle(client)}`).join(", ")}`
    : "made by an early version of the Python server";
  const itself = ok("buffer", `${path}${permissions}, schema ${schema}: ${content}`);
  if (process.platform === "win32" || (mode & 0o077) === 0) return [itself];
  return [
    itself,
    warn("buffer", `others can read ${path}`, "Run: relay status, which takes it away from them."),
  ];
}

function disk(file: string): Finding[] {
  const odd = oddDisk(dirname(file));
  return odd
    ? [
        warn(
          "disk",
          `the buffer is on ${odd}`,
          "Set RELAY_DB to a file on a disk of this machine, and run: relay setup",
        ),
      ]
    : [];
}
