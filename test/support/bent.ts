// Well-formed inputs, damaged, for fast-check.
import fc from "fast-check";

/** Any JSON, not very deep. */
export const json = fc.jsonValue({ maxDepth: 3 });

const odd = fc.constantFrom(Number.POSITIVE_INFINITY, -0, 2 ** 53, "\ud800", {}, [], "x".repeat(65_537));

/** A value with some of its parts, at any depth, replaced by something else, left out, or with more beside them. */
export function bent(value: unknown): fc.Arbitrary<unknown> {
  const whole = { weight: 6, arbitrary: fc.constant(value) };
  const other = { weight: 1, arbitrary: fc.oneof(json, odd) };
  if (typeof value === "string") {
    const similar = fc.constantFrom(`${value}x`, value.slice(1), value.toUpperCase(), `${value}\n`);
    return fc.oneof(whole, other, { weight: 1, arbitrary: similar });
  }
  if (typeof value !== "object" || value === null) return fc.oneof(whole, other);
  if (Array.isArray(value)) {
    const items = fc.tuple(...value.map(bent), fc.array(json, { maxLength: 1 }));
    return fc.oneof(whole, other, { weight: 12, arbitrary: items.map((each) => each.flat(1)) });
  }
  const parts = Object.entries(value).map(([key, part]) =>
    fc.tuple(fc.constant(key), fc.integer({ min: 0, max: 9 }), bent(part)),
  );
  // nine keys of ten stay
  const inside = {
    weight: 12,
    arbitrary: fc
      .tuple(...parts)
      .map((kept) => Object.fromEntries(kept.filter(([, chance]) => chance > 0).map(([key, , part]) => [key, part]))),
  };
  const more = {
    weight: 1,
    arbitrary: fc.tuple(fc.string(), json).map(([key, part]) => ({ ...value, [key]: part })),
  };
  return fc.oneof(whole, other, inside, more);
}

/** A text cut off, or with a byte changed. */
export function broken(text: fc.Arbitrary<string>): fc.Arbitrary<Uint8Array> {
  return fc.tuple(text, fc.nat(), fc.nat(255), fc.boolean()).map(([whole, place, byte, cut]) => {
    const bytes = bytesOf(whole);
    const at = place % Math.max(1, bytes.length);
    if (cut) return bytes.slice(0, at);
    bytes[at] = byte;
    return bytes;
  });
}

/** A text as UTF-8. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A value as JSON, if it can be written as such. */
export function written(value: unknown): string {
  return JSON.stringify(value) ?? "";
}

// The least number of tries.
const batch = 25;

/**
 * Tries a property for so many seconds, at least a batch of times. `fc.assert` knows a limit too, but does not wait for the
 * try that it interrupts.
 */
export async function assertFor<T>(seconds: number, property: fc.IAsyncProperty<T>): Promise<void> {
  const end = performance.now() + seconds * 1_000;
  do await fc.assert(property, { numRuns: batch, endOnFailure: true });
  while (performance.now() < end);
}
