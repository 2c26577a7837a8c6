import { readdirSync, readFileSync, statSync } from "node:fs";
import type { System } from "../platform/system.ts";
import { type FileIdentity, identify } from "./file.ts";

/** A process that has a file open. */
export interface Holder {
  process: number;
  name: string;
}

// It looks at every process of the machine.
const lsofMilliseconds = 10_000;

/**
 * The other processes that have this file open, those that hold a lock on it alone if there are any. Empty where the
 * system does not tell.
 */
export async function holdersOf(file: string, system: System): Promise<Holder[]> {
  const identity = identify(file);
  if (!identity) return [];
  const found = system.exists("/proc/self/fd") ? fromProc(identity) : await fromLsof(file, system);
  return found.filter((holder) => holder.process !== process.pid);
}

/** In words: `relay (process 12) and python3 (process 34)`. */
export function tellHolders(holders: readonly Holder[]): string {
  const names = holders.map(({ name, process }) => `${name} (process ${process})`);
  const last = names.pop() ?? "";
  return names.length > 0 ? `${names.join(", ")} and ${last}` : last;
}

// proc(5): other users' descriptors cannot be seen, but their locks can.
function fromProc(identity: FileIdentity): Holder[] {
  const processes = list("/proc").filter((entry) => /^\d+$/.test(entry));
  const open = processes.filter((process) => hasOpen(process, identity));
  const lines = read("/proc/locks").split("\n");
  const locking = lines.flatMap((line) => {
    const [, process = "", inode] = /\s(\d+) [\da-f]+:[\da-f]+:(\d+) /.exec(line) ?? [];
    return inode === String(identity.inode) ? [process] : [];
  });
  const both = open.filter((process) => locking.includes(process));
  // an inode's number alone may be that of a file on another disk
  const holding = both.length > 0 ? both : open.length > 0 ? open : locking;
  return [...new Set(holding)].map((process) => ({
    process: Number(process),
    name: read(`/proc/${process}/comm`).trim() || "a process of another user",
  }));
}

function hasOpen(process: string, { device, inode }: FileIdentity): boolean {
  const folder = `/proc/${process}/fd`;
  return list(folder).some((descriptor) => {
    try {
      const stats = statSync(`${folder}/${descriptor}`, { bigint: true });
      return stats.dev === device && stats.ino === inode;
    } catch {
      return false; // closed meanwhile
    }
  });
}

async function fromLsof(file: string, system: System): Promise<Holder[]> {
  const usual = "/usr/sbin/lsof";
  const program = system.find("lsof") ?? (system.exists(usual) ? usual : null);
  if (!program) return [];
  const child = Bun.spawn([program, "-F", "pc", "--", file], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
    timeout: lsofMilliseconds,
    killSignal: "SIGKILL",
  });
  return parseLsof(await new Response(child.stdout).text());
}

/** What `lsof -F pc` prints: a line `pNUMBER` for each process, then one `cNAME`. */
export function parseLsof(text: string): Holder[] {
  return [...text.matchAll(/^p(\d+)\nc(.*)$/gm)].map(([, process, name = ""]) => ({
    process: Number(process),
    name,
  }));
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // another user's process, or one that ended
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
