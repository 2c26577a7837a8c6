import { errorMessage, RelayError } from "../core/errors.ts";
import { fitPicture } from "../server/fitted-picture.ts";
import { defineCommand } from "./command.ts";

const mostCpuMs = 2_000; // on a busy machine this lasts longer
const mostMemory = 280_000_000; // the largest picture takes 253 (seen), and what is taken between two looks comes on top
const watchMs = 2;

export const command = defineCommand({
  meta: { name: "picture", description: "Make a picture fit into a page (called by relay)" },
  hidden: true,
  args: {
    characters: { type: "positional", required: false, description: "How many of base64 at most" },
    png: { type: "boolean", description: "As a PNG" },
  },
  async run({ args, data: { print } }) {
    const bytes = await Bun.stdin.bytes();
    const fitted = Promise.race([fitPicture(bytes, Number(args.characters), args.png), limit()]);
    print(JSON.stringify(await fitted.catch((error) => ({ reason: errorMessage(error) }))));
  },
});

/**
 * Throws once the picture has taken too much. Bun's decoders cannot be interrupted, and some small files keep them busy for
 * an hour, or take gigabytes (seen, Bun 1.4.5: a JPEG of thousands of scans, a PNG of compressed texts): the process ends.
 */
async function limit(): Promise<never> {
  for (;;) {
    const { user, system } = process.cpuUsage();
    if ((user + system) / 1_000 > mostCpuMs) throw new RelayError("failed", "it takes over 2 seconds");
    if (process.memoryUsage.rss() > mostMemory) throw new RelayError("failed", "it takes too much memory");
    await Bun.sleep(watchMs);
  }
}
