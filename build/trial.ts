import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $ } from "bun";
import { withServer } from "./mcp-server.ts";
import type { Target } from "./targets.ts";

/** The machine that ran a binary, or the reason why none did. */
export type Trial = { ran: string } | { skipped: string };

const message = "hello from the release";

/**
 * Runs a target's binary if this machine can: asks for its version, and sends a message from a server for Desktop to one
 * for Code. Throws for a wrong version, or if the message does not arrive.
 */
export async function tryBinary(binary: string, target: Target, version: string): Promise<Trial> {
  const machine = machineFor(target, binary);
  if (typeof machine === "string") return { skipped: machine };
  const home = await mkdtemp(join(tmpdir(), "relay-trial-"));
  const env = { HOME: home, TMPDIR: home, PATH: "/usr/bin:/bin", RELAY_NOTIFY: "off", ...machine.env };
  const argv = [...machine.argv, binary];
  try {
    const found = (await $`${argv} --version`.env(env).text()).trim();
    if (found !== version) throw new Error(`its version is ${found}, not ${version}`);
    await sendMessage(argv, env);
    return { ran: `on ${machine.name}` };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function sendMessage(argv: string[], env: { HOME: string }): Promise<void> {
  const call = (claude: "desktop" | "code", name: string, args: Record<string, string>) =>
    withServer(argv, claude, { ...env }, async (server) =>
      JSON.stringify((await server.callTool({ name, arguments: args })).content),
    );
  const receipt = await call("desktop", "relay_send", { message });
  const page = await call("code", "relay_fetch", {});
  if (!page.includes(message)) throw new Error(`a message did not arrive: ${receipt}, ${page}`);
}

/** A machine for a binary: this one, or an emulator with its command line and environment. */
interface Machine {
  name: string;
  argv: string[];
  env: Record<string, string>;
}

// Debian's package libc6-arm64-cross
const arm64Libraries = "/usr/aarch64-linux-gnu";

/** The machine for a target's binary, or a phrase that names the missing part. */
export function machineFor({ system, cpu, linux }: Target, binary: string): Machine | string {
  if (system === "windows") return "needs Windows";
  if (system !== process.platform) return "needs macOS";
  if (cpu !== process.arch) return qemuFor(cpu, linux?.loader ?? "");
  const isMusl = linux?.loader.includes("musl");
  if (isMusl && !hasLibraries(linux?.loader ?? "", binary)) return "needs musl with a libstdc++ of its own";
  return { name: "this machine", argv: [], env: {} };
}

function qemuFor(cpu: Target["cpu"], loader: string): Machine | string {
  if (cpu !== "arm64") return "needs an x64 CPU";
  const qemu = Bun.which("qemu-aarch64-static") ?? Bun.which("qemu-aarch64");
  if (!qemu) return "needs qemu-user-static";
  if (!existsSync(join(arm64Libraries, loader))) return `needs ${loader} for qemu`;
  return { name: "qemu", argv: [qemu], env: { QEMU_LD_PREFIX: arm64Libraries } };
}

function hasLibraries(loader: string, binary: string): boolean {
  return existsSync(loader) && Bun.spawnSync([loader, "--list", binary]).success;
}
