import { type AnyNode, parse } from "acorn";

const typesFile = /[\\/]@modelcontextprotocol[\\/]sdk[\\/]dist[\\/]esm[\\/]types\.js$/;

/**
 * A plugin that lets the bundler drop unused schemas of the MCP SDK. The SDK makes more than 150 of them when its types.js
 * is imported, which takes half of a server's start (facts.md, "Bun").
 */
export const dropUnusedSchemas: Bun.BunPlugin = {
  name: "drop-unused-schemas",
  setup(build) {
    build.onLoad({ filter: typesFile }, async ({ path }) => {
      return { contents: markSchemas(await Bun.file(path).text()), loader: "js" };
    });
  },
};

/**
 * The source of the SDK's types.js, with each constant that a call makes marked as free of side effects. Throws for a call
 * of anything but zod (`z`) and its schemas.
 */
export function markSchemas(source: string): string {
  const schemas = parse(source, { ecmaVersion: "latest", sourceType: "module" }).body.flatMap(schemasOf);
  const makers = new Set(["z", ...schemas.map(({ name }) => name)]);
  let marked = "";
  let end = 0;
  for (const { name, value } of schemas) {
    const code = ({ start, end }: AnyNode) => source.slice(start, end);
    const unknown = findUnknown(value, makers);
    if (unknown) throw new Error(notAsAssumed(name, code(unknown)));
    marked += `${source.slice(end, value.start)}/* @__PURE__ */ (() => ${code(value)})()`;
    end = value.end;
  }
  return marked + source.slice(end);
}

interface Schema {
  name: string;
  value: AnyNode;
}

function schemasOf(statement: AnyNode): Schema[] {
  if (statement.type === "ExportNamedDeclaration" && statement.declaration) return schemasOf(statement.declaration);
  if (statement.type !== "VariableDeclaration") return [];
  return statement.declarations.flatMap(({ id, init }) =>
    id.type === "Identifier" && init?.type === "CallExpression" ? [{ name: id.name, value: init }] : [],
  );
}

// Expressions without an effect. A function's code runs later.
const inert = new Set(["ArrowFunctionExpression", "FunctionExpression", "Identifier", "Literal"]);

const composed = new Set(["ArrayExpression", "MemberExpression", "ObjectExpression", "Property", "SpreadElement"]);

/** The first part of an expression that may have a side effect; `undefined` if there is none. */
function findUnknown(node: AnyNode, makers: ReadonlySet<string>): AnyNode | undefined {
  if (inert.has(node.type)) return undefined;
  const known = node.type === "CallExpression" ? makers.has(rootOf(node)) : composed.has(node.type);
  if (!known) return node;
  return partsOf(node)
    .map((part) => findUnknown(part, makers))
    .find((unknown) => unknown !== undefined);
}

/** The name that a chain of calls and members begins with. */
function rootOf(node: AnyNode): string {
  if (node.type === "CallExpression") return rootOf(node.callee);
  if (node.type === "MemberExpression") return rootOf(node.object);
  return node.type === "Identifier" ? node.name : "";
}

function partsOf(node: AnyNode): AnyNode[] {
  return Object.values(node)
    .flat()
    .filter((part) => typeof Object(part).type === "string");
}

function notAsAssumed(name: string, code: string): string {
  return `${name} in the MCP SDK's types.js runs code that build/sdk-schemas.ts does not know: ${code}. If it has no side effect, allow it there.`;
}
