import { RelayError } from "../core/errors.ts";
import type { Picture } from "./fitted-picture.ts";

// The process ends by itself after two seconds of work (cli/picture.ts), which are more only on a machine that is very busy.
const limitMs = 10_000;

/**
 * As {@link fitPicture}, in a process of its own, which can be killed and takes its memory with it. Throws a `failed` error
 * also if the picture takes over 2 s or 300 MB. `signal` ends it.
 */
export async function fitPictureApart(
  bytes: Uint8Array,
  mostCharacters: number,
  { png = false, signal }: { png?: boolean; signal?: AbortSignal } = {},
): Promise<Picture> {
  const child = Bun.spawn([process.execPath, "picture", String(mostCharacters), ...(png ? ["--png"] : [])], {
    env: {},
    stdin: bytes,
    stdout: "pipe",
    stderr: "ignore",
    ...(signal && { signal }),
    timeout: limitMs,
    killSignal: "SIGKILL",
    windowsHide: true,
  });
  const [output] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  const result: Picture | { reason: string } =
    output === "" ? { reason: "its process was killed" } : JSON.parse(output);
  if ("reason" in result) throw new RelayError("failed", result.reason);
  return result;
}
