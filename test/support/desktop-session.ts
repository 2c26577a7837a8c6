import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readLines } from "./lines.ts";
import { type Sandbox, until } from "./sandbox.ts";

/** A notification as a daemon was asked to show it. */
interface Shown {
  app: string;
  summary: string;
  body: string;
  hints: Record<string, string>;
}

/** A real D-Bus session bus, with a daemon on it that remembers notifications. */
export interface DesktopSession {
  /** Where the bus listens. */
  socket: string;
  /** Where programs find the bus. */
  env: { DBUS_SESSION_BUS_ADDRESS: string };
  /** Every notification so far. */
  shown(): Shown[];
  /** When each of them arrived, in milliseconds since 1970. */
  shownAt(): number[];
  /** Tells the daemon how to behave from now on. */
  behave(how: "answer" | "hang" | "sound" | "silent"): Promise<void>;
}

const needed = ["dbus-daemon", "notify-send", "busctl", "/usr/bin/python3"];
const bindings = ["-c", "import dbus, gi.repository.GLib"];

/** Whether this machine has D-Bus, notify-send, busctl, and the D-Bus bindings of Debian's Python. */
export const canNotify =
  needed.every((program) => Bun.which(program) !== null) &&
  Bun.spawnSync(["/usr/bin/python3", ...bindings]).exitCode === 0;

/** Starts a bus, and a daemon on it. Both end with the sandbox. */
export async function desktopSession(box: Sandbox): Promise<DesktopSession> {
  // the sandbox's own one shows nothing at all
  await box.run(["rm", join(box.programs, "notify-send")]);
  const socket = join(box.programs, "bus");
  const address = `unix:path=${socket}`;
  const bus = Bun.spawn(["dbus-daemon", "--session", "--nofork", "--print-address", `--address=${address}`], {
    env: box.env,
    stdout: "pipe",
    stderr: "ignore",
  });
  await readLines(bus.stdout).next(); // it listens
  const env = { DBUS_SESSION_BUS_ADDRESS: address };
  const record = join(box.programs, "shown");
  const daemon = startDaemon(record, { ...box.env, ...env });
  box.defer(async () => {
    for (const child of [daemon.child, bus]) {
      child.kill("SIGKILL");
      await child.exited;
    }
  });
  await until("the notification daemon", () => daemon.printed().startsWith("ready\n"));
  const recorded = (): (Shown & { at: number })[] => {
    const lines = existsSync(record) ? readFileSync(record, "utf8").split("\n") : [];
    return lines.filter(Boolean).map((line) => JSON.parse(line));
  };
  return {
    socket,
    env,
    shown: () => recorded().map(({ at: _, ...shown }) => shown),
    shownAt: () => recorded().map(({ at }) => at),
    async behave(how) {
      const before = daemon.printed();
      daemon.child.stdin.write(`${how}\n`);
      daemon.child.stdin.flush();
      await until(`the daemon to ${how}`, () => daemon.printed() === `${before}${how}\n`);
    },
  };
}

function startDaemon(record: string, env: Record<string, string>) {
  const program = join(import.meta.dir, "notification-daemon.py");
  const child = Bun.spawn(["/usr/bin/python3", program, record], {
    env,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  let text = "";
  void (async () => {
    for await (const chunk of child.stdout) text += new TextDecoder().decode(chunk);
  })();
  return { child, printed: () => text };
}
