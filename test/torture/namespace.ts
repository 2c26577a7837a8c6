import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const mark = "RELAY_TORTURE_FOLDER";

// What libfaketime shares by the numbers of processes, which begin anew here, is not shared with anybody else. The shell
// waits for the run, and buries whatever loses its parent; by itself it would give the run an empty input.
const shell = 'mount -t tmpfs relay-torture /dev/shm 2>/dev/null; exec 3<&0; "$@" <&3 & wait $!';

/** Where a run is, and what ends it. */
export interface Surroundings {
  /** An empty folder of its own. */
  folder: string;
  /** Resolves should the run have to end before its time. */
  ended: Promise<unknown>;
}

/**
 * Runs `inside` where its mounts and its processes are its own, in this very program started again, so that nothing of
 * it outlives it, even if it is killed; or right here if this machine has no such place. Answers its status.
 */
export async function inNamespace(inside: (surroundings: Surroundings) => Promise<number>): Promise<number> {
  const given = process.env[mark];
  // whoever started it holds the other end
  if (given) return inside({ folder: given, ended: new Response(Bun.stdin.stream()).text() });
  const folder = mkdtempSync(join(tmpdir(), "relay-torture-"));
  const signalled = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        console.error(`ended by ${signal}`);
        resolve();
      });
    }
  });
  try {
    const unshare = findUnshare();
    if (!unshare) return await inside({ folder, ended: signalled });
    const argv = [...unshare, "sh", "-c", shell, "sh", process.execPath, ...process.argv.slice(1)];
    const child = Bun.spawn(argv, {
      env: { ...process.env, [mark]: folder },
      stdio: ["pipe", "inherit", "inherit"],
    });
    void signalled.then(() => child.kill("SIGKILL"));
    return await child.exited;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function findUnshare(): string[] | null {
  if (process.platform !== "linux" || !Bun.which("unshare")) return null;
  const user = process.getuid?.() === 0 ? [] : ["--map-root-user"];
  const argv = ["unshare", ...user, "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const probe = Bun.spawnSync([...argv, "true"], { stdio: ["ignore", "ignore", "ignore"] });
  return probe.exitCode === 0 ? argv : null;
}
