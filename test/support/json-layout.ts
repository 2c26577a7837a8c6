import fc from "fast-check";

/** A value as some person or program may have written it. */
export function laidOut(value: fc.Arbitrary<unknown>, marks = ["", "\uFEFF"]): fc.Arbitrary<string> {
  return fc
    .tuple(value, fc.constantFrom("\n", "\r\n"), fc.constantFrom(...marks), fc.infiniteStream(fc.nat(1_000)))
    .map(([each, eol, mark, stream]) => mark + print(each ?? null, (n) => (stream.next().value ?? 0) % n, eol));
}

/** Any JSON text a person or program may have written: its layout drawn from `chance`, which answers 0 to n-1. */
export function print(value: unknown, chance: (n: number) => number, eol: string, depth = 0): string {
  const gap = () => {
    const kinds = ["", " ", `${eol}${"  ".repeat(depth + 1)}`, "\t"];
    return kinds[chance(kinds.length)] ?? "";
  };
  const items = (list: string[], open: string, close: string) => {
    return `${open}${list.map((item) => gap() + item + gap()).join(",")}${gap()}${close}`;
  };
  if (Array.isArray(value))
    return items(
      value.map((each) => print(each, chance, eol, depth + 1)),
      "[",
      "]",
    );
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(
      ([key, each]) => `${JSON.stringify(key)}${gap()}:${gap()}${print(each, chance, eol, depth + 1)}`,
    );
    return items(entries, "{", "}");
  }
  if (typeof value === "number" && Number.isSafeInteger(value) && chance(2) === 0) return `${JSON.stringify(value)}e0`;
  return JSON.stringify(value);
}
