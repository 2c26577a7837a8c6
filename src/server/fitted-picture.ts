import { RelayError } from "../core/errors.ts";
import { thousands } from "../core/words.ts";

// Claude makes larger pictures smaller itself (https://docs.claude.com/en/docs/build-with-claude/vision).
const longestSide = 1_568;

// A screen of 8K has 33 million. Each takes four bytes to decode, and 36 million about 250 MB in all (seen, Bun 1.4.5).
const mostPixels = 36_000_000;

const quality = 80;

const attempts = 5;

/** A picture that fits into a page. */
export interface Picture {
  /** In pixels, before it was made to fit. */
  width: number;
  height: number;
  type: "image/png" | "image/webp";
  /** In base64. */
  data: string;
}

/**
 * Makes a picture fit: at most 1,568 pixels a side, and this many characters of base64. A small drawing keeps each pixel, and
 * `png` asks for no other type. It is always encoded again, because a damaged picture would end the conversation that it is in.
 * Throws a `failed` error for one that cannot be shown.
 */
export async function fitPicture(bytes: Uint8Array, mostCharacters: number, png = false): Promise<Picture> {
  const whole = new Bun.Image(bytes, { maxPixels: Number.MAX_SAFE_INTEGER });
  const { width, height, format } = await decode(whole.metadata());
  if (width * height > mostPixels) throw unshowable(`${thousands(width)} x ${thousands(height)} pixels are too many`);
  const mostBytes = Math.floor(mostCharacters / 4) * 3;
  const longest = Math.max(width, height);
  let side = Math.min(longestSide, longest);
  let source = bytes;
  let type: Picture["type"] = png || (format !== "jpeg" && longest <= longestSide) ? "image/png" : "image/webp";
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const image = new Bun.Image(source, { maxPixels: mostPixels });
    image.resize(side, side, { fit: "inside", withoutEnlargement: true });
    const encoded = await decode((type === "image/png" ? image.png() : image.webp({ quality })).bytes());
    if (encoded.length <= mostBytes) return { width, height, type, data: encoded.toBase64() };
    source = encoded; // small and harmless, so that the next attempt is quick
    if (type === "image/png" && !png) type = "image/webp";
    else side = Math.max(1, Math.floor(side * Math.sqrt(mostBytes / encoded.length) * 0.9));
  }
  throw unshowable("it does not fit beside the others");
}

async function decode<Decoded>(decoding: Promise<Decoded>): Promise<Decoded> {
  try {
    return await decoding;
  } catch {
    throw unshowable("it is damaged");
  }
}

function unshowable(reason: string): RelayError {
  return new RelayError("failed", reason);
}
