// The assumptions of build/sdk-schemas.ts about the pinned MCP SDK.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { markSchemas } from "../build/sdk-schemas.ts";
import manifest from "../package.json";
import { relayBinary } from "./support/sandbox.ts";

const typesFile = Bun.resolveSync("@modelcontextprotocol/sdk/types.js", import.meta.dir);
const source = readFileSync(typesFile, "utf8");

test("the SDK is the version that package.json pins", () => {
  const sdk = JSON.parse(readFileSync(join(typesFile, "../../../package.json"), "utf8"));
  expect(sdk.version).toBe(manifest.dependencies["@modelcontextprotocol/sdk"]);
});

test("all 154 schemas of the SDK's types.js are marked, and the module has the same imports and exports", () => {
  const marked = markSchemas(source);
  expect(marked.split("/* @__PURE__ */")).toHaveLength(155);
  expect(marked).not.toMatch(/^(export )?const \w+ = z\b/m);
  const transpiler = new Bun.Transpiler({ loader: "js" });
  expect(transpiler.scan(marked)).toEqual(transpiler.scan(source));
});

test("the binary has the schemas that a server uses, and no others", () => {
  const binary = readFileSync(relayBinary);
  expect(binary.includes("notifications/cancelled")).toBe(true);
  for (const method of ["sampling/createMessage", "resources/templates/list", "logging/setLevel"]) {
    expect(source).toContain(method);
    expect(binary.includes(method)).toBe(false);
  }
});

test.each([
  ["const A = z.string()", "const A = /* @__PURE__ */ (() => z.string())()"],
  ["export const A = z.null();", "export const A = /* @__PURE__ */ (() => z.null())();"],
  [
    "const A = z.null(), B = A.or(z.array(A))",
    "const A = /* @__PURE__ */ (() => z.null())(), B = /* @__PURE__ */ (() => A.or(z.array(A)))()",
  ],
  ["const A = z.custom((v) => log(v))", "const A = /* @__PURE__ */ (() => z.custom((v) => log(v)))()"],
  [
    "const A = 1, f = () => log(); log(A); class B extends C(A) {}",
    "const A = 1, f = () => log(); log(A); class B extends C(A) {}",
  ],
])("%s is marked where zod is called", (code, marked) => {
  expect(markSchemas(code)).toBe(marked);
});

test.each([
  ["const A = fetch('x')", "fetch('x')"],
  ["const A = z.object({ a: z.literal(log()) })", "log()"],
  ["const B = 1; const A = B.or(z.null())", "B.or(z.null())"],
  ["const A = z.object({ ...(seen = {}) })", "seen = {}"],
  ["const A = z.array(new Schema())", "new Schema()"],
])("%s is refused", (code, part) => {
  const message = `A in the MCP SDK's types.js runs code that build/sdk-schemas.ts does not know: ${part}. If`;
  expect(() => markSchemas(code)).toThrow(message);
});
