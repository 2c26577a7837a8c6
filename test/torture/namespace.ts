const mark = "RELAY_TORTURE_INSIDE";

// The shell waits for the run, and buries whatever loses its parent.
const shell = '"$@" & wait $!';

/**
 * Runs this very program again where its mounts and its processes are its own, so that nothing of it outlives it, even
 * if it is killed itself. Answers its status; null if this is there already, or there is no such place on this machine.
 */
export async function inNamespace(): Promise<number | null> {
  if (process.env[mark] || process.platform !== "linux") return null;
  const user = process.getuid?.() === 0 ? [] : ["--map-root-user"];
  const unshare = ["unshare", ...user, "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  if (!Bun.which("unshare")) return null;
  const probe = Bun.spawnSync([...unshare, "true"], { stdio: ["ignore", "ignore", "ignore"] });
  if (probe.exitCode !== 0) return null;
  const child = Bun.spawn([...unshare, "sh", "-c", shell, "sh", process.execPath, ...process.argv.slice(1)], {
    env: { ...process.env, [mark]: "1" },
    stdio: ["ignore", "inherit", "inherit"],
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => child.kill("SIGKILL"));
  return child.exited;
}
