/** The program that shows a long text on a terminal. */
export interface Pager {
  argv: string[];
  env: Record<string, string | undefined>;
}

// A pager that is broken, or has a wrong option, ends sooner; nobody leaves a page sooner.
const startMs = 500;

/**
 * Shows the bytes in the pager. Resolves when the pager took them all or the person left it, and answers its end; `null`
 * if it failed, so that nothing was shown. Until its end Ctrl-C is the pager's.
 */
export async function showInPager({ argv, env }: Pager, bytes: Uint8Array): Promise<{ ended: Promise<void> } | null> {
  const ignore = () => {};
  process.on("SIGINT", ignore);
  const child = Bun.spawn(argv, { env, stdin: "pipe", stdout: "inherit", stderr: "inherit" });
  const ended = child.exited.then(() => {
    process.removeListener("SIGINT", ignore);
  });
  const write = async () => {
    await child.stdin.write(bytes);
    await child.stdin.end();
  };
  const taken = Promise.all([write().catch(() => ended), Bun.sleep(startMs)]); // the person may have read enough
  await Promise.race([ended, taken]);
  return child.exitCode === null || child.exitCode === 0 ? { ended } : null;
}
