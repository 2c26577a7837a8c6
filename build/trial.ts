import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { emulatorFor } from "./emulators.ts";
import { exchange } from "./exchange.ts";
import { forwardingLibrary } from "./forwarding-library.ts";
import { run } from "./run.ts";
import type { Target } from "./targets.ts";

/** What a trial saw, or why there was none. */
export type Trial = { ran: string } | { skipped: string };

/**
 * Runs the binary of a target as far as this machine can: its version, and a message from a server of Desktop's to one
 * of Code's. Throws when relay does anything else than it should.
 */
export async function tryBinary(binary: string, target: Target, version: string): Promise<Trial> {
  const emulator = emulatorFor(target, binary);
  if (typeof emulator === "string") return { skipped: emulator };
  const home = await mkdtemp(join(tmpdir(), "relay-trial-"));
  const env = { HOME: home, TMPDIR: home, PATH: "/usr/bin:/bin", RELAY_NOTIFY: "off", ...emulator.env };
  try {
    if (emulator.name === "wine") return await tryUnderWine(binary, home, env, version);
    const argv = [...emulator.argv, binary];
    await checkVersion(argv, env, version);
    await exchange({ argv, env });
    return { ran: `on ${emulator.name}: --version, an MCP exchange` };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function checkVersion(argv: string[], env: Record<string, string>, version: string): Promise<void> {
  const { stdout } = await run([...argv, "--version"], { env, limit: 120_000 });
  if (stdout.trim() !== version) throw new Error(`it says that it is ${stdout.trim()}, not ${version}`);
}

const prng = {
  library: "bcryptprimitives.dll",
  function: "ProcessPrng",
  to: "advapi32.SystemFunction036", // RtlGenRandom, which takes the same arguments
};

// A server under wine cannot read from a pipe of Linux, but from one that relay itself makes there: the demo's. Its
// last step, to remove a folder, is beyond wine 8 ("EFAULT"), so that its status says nothing.
async function tryUnderWine(
  binary: string,
  home: string,
  variables: Record<string, string>,
  version: string,
): Promise<Trial> {
  const env = { ...variables, WINEPREFIX: join(home, "wine") };
  const program = join(home, "relay.exe");
  await copyFile(binary, program);
  await Bun.write(join(home, prng.library), forwardingLibrary(prng));
  try {
    await checkVersion(["wine", program], env, version);
    const shell = ["sh", "-c", 'wine "$1" demo || :', "sh", program];
    const { stdout, stderr } = await run(shell, { env, limit: 120_000 });
    if (stdout.includes("a message went each way")) return { ran: "on wine: --version, relay demo" };
    throw new Error(`relay demo under wine said: ${(stdout + stderr).trim().slice(-300)}`);
  } finally {
    await run(["wineserver", "-k", "-w"], { env, limit: 60_000 }).catch(() => {}); // it may have ended by itself
  }
}
