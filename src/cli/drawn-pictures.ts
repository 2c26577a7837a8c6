import { isPictureType } from "../core/media-type.ts";
import type { Message } from "../core/message.ts";
import { receivedFiles } from "../core/shown-file.ts";
import type { Store } from "../core/store.ts";
import { readGraphics } from "../platform/graphics.ts";
import { fitPictureApart } from "../server/picture-process.ts";
import type { Context } from "./context.ts";

// Terminals draw more, but slowly over a network.
const mostCharacters = 2_000_000;

const kittyCharacters = 4_096;

/** Draws the pictures of a message below its text, in a terminal that can. Those that cannot be drawn are named there. */
export async function drawPictures(
  { id, files }: Pick<Message, "id" | "files">,
  store: Store,
  { environment, print }: Context,
): Promise<void> {
  const protocol = files.length > 0 ? readGraphics(environment.system().variables) : null;
  if (!protocol) return;
  for (const { content, type } of receivedFiles(await store.readFiles(id))) {
    if (!content || !isPictureType(type)) continue;
    const picture = await fitPictureApart(content, mostCharacters, { png: true }).catch(() => null);
    if (!picture) continue;
    const { data, width } = picture;
    const columns = Math.min(environment.screen().columns, Math.ceil(width / 8));
    print(protocol === "kitty" ? kittyPicture(data, columns) : `\u001b]1337;File=inline=1:${data}\u0007`);
  }
}

// https://sw.kovidgoyal.net/kitty/graphics-protocol/#remote-client; the other is https://iterm2.com/documentation-images.html
function kittyPicture(data: string, columns: number): string {
  const chunks = data.match(new RegExp(`.{1,${kittyCharacters}}`, "g")) ?? [];
  const escapes = chunks.map((chunk, index) => {
    const first = index === 0 ? `f=100,a=T,c=${columns},` : "";
    return `\u001b_G${first}m=${index < chunks.length - 1 ? 1 : 0};${chunk}\u001b\\`;
  });
  return escapes.join("");
}
