/** How to run a program: where, with which environment (this one's if left out), reading what. */
export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  stdin?: string;
  /** After so many milliseconds it is killed, which counts as a failure. */
  limit?: number;
}

/** Runs a program to its end and answers what it printed. Throws with its last words when it fails or took too long. */
export async function run(
  argv: readonly string[],
  { cwd, env, stdin, limit = 600_000 }: RunOptions = {},
): Promise<{ stdout: string; stderr: string }> {
  const begin = performance.now();
  const child = Bun.spawn([...argv], {
    ...(cwd && { cwd }),
    ...(env && { env }),
    stdin: stdin === undefined ? "ignore" : Buffer.from(stdin),
    stdout: "pipe",
    stderr: "pipe",
    timeout: limit,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) === 0) return { stdout, stderr };
  const tooLong = performance.now() - begin >= limit;
  const byItself = child.signalCode ? `was ended by ${child.signalCode}` : `ended with ${child.exitCode}`;
  const why = tooLong ? `took more than ${limit / 1000} s` : byItself;
  const words = (stderr.trim() || stdout.trim()).split("\n").slice(-3).join(" ");
  throw new Error(`${argv[0]} ${why}: ${words || "it said nothing"}`);
}
