import { join } from "node:path";
import { screenshot } from "../support/pictures.ts";
import { sendAll } from "../support/sandbox.ts";
import { converse } from "./conversation.ts";
import type { Lab } from "./lab.ts";
import { interleave, timed } from "./samples.ts";
import { bareInsert } from "./sends.ts";
import { type Row, timedRow } from "./table.ts";

const megabyte = 1_048_576;

/** How long a model waits for the receipt of a file of 1 MB, and for a page with a screenshot of 4K. */
export async function attach(lab: Lab): Promise<Row[]> {
  const box = lab.home();
  const desktop = await converse(box, "desktop", undefined, ["--allow-files", box.home]);
  const clear = () => desktop.call("relay_clear");
  const text = "x".repeat(megabyte);
  await Bun.write(join(box.home, "data.txt"), text);
  await Bun.write(join(box.home, "screen.png"), await screenshot());
  const insert = bareInsert(join(lab.home().home, "plain.db"), true, text);
  const page =
    (...args: string[]) =>
    async () => {
      if (args.length > 0) await box.relay(["send", "--to", "desktop", ...args]);
      else await sendAll(box, "desktop", ["a text"]);
      return timed(() => desktop.call("relay_fetch"));
    };
  const samples = await interleave(Math.ceil(lab.rounds / 4), {
    insert: () => timed(insert),
    async file() {
      const took = await timed(() => desktop.call("relay_send", { message: "1 MB", files: ["data.txt"] }));
      await clear();
      return took;
    },
    text: page(),
    screen: page("--file", join(box.home, "screen.png")),
  });
  const bare = { name: "bare durable insert of 1 MB", samples: samples.insert };
  const texts = { name: "relay_fetch, a text", samples: samples.text };
  return [
    timedRow("relay_send, a file of 1 MB", samples.file, bare, 4),
    { ...timedRow("relay_fetch, a 4K screenshot", samples.screen, texts), goal: { value: 400 } },
  ];
}
