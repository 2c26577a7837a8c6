import { basename } from "node:path";
import { hashOf } from "./record.ts";

// relay recognizes the original, `mcp-server-relay`, by the files that its setup writes and the configuration that its
// README describes (repository mhcoen/mcp-relay, all versions up to 70f6b97). A changed file is the person's.

// `get.md` in two versions, and `relay.md`, its former name, from the setup and from the repository.
const commandHashes = [
  "6f13d73d506736394c4c556837f91548bb31bd3c166cf47631a3bfe762c889b6",
  "4ffa10a8a49c7bde53e771f4c7d0f520c567420e46fbe0b09015806384b12cdb",
  "0847e55f1ddcc71c43c5b7fbdf5a42785697d976c328c61bfc1e11085c2490d7",
  "fd84e92d7752afd0ca63253be0baae89bfeed4d9019205e7d1e8bd5d778fd5aa",
  "aa5b93eebf7e34c8c186999226b7ebef6e73b5b044092f68ddd074ac6a6db9d7",
];

const previewHash = "4e8d61db2a79109a9a6183ccfcfbac2a5faee1d5652518ebf90236b97c47f82f";

/** The script that its SessionStart hook runs, in `~/.claude/scripts`. */
export const previewName = "relay-preview.py";

/** Whether a command file is the original's, unchanged. */
export function isOriginalCommand(content: Uint8Array): boolean {
  return commandHashes.includes(unixHash(content));
}

/** Whether a script is the original's, unchanged. */
export function isOriginalPreview(content: Uint8Array): boolean {
  return unixHash(content) === previewHash;
}

/** Whether a hook of Claude Code's settings runs that script. */
export function isOriginalHook(hook: unknown): boolean {
  const { type, command } = (hook ?? {}) as { type?: unknown; command?: unknown };
  if (type !== "command" || typeof command !== "string") return false;
  return /^python3? .*[/\\]relay-preview\.py"?$/.test(command);
}

/** Whether an entry of `mcpServers` starts the original: by uvx, by its own command, or as a script. */
export function isOriginalServer(entry: unknown): boolean {
  const { command, args = [] } = (entry ?? {}) as { command?: unknown; args?: unknown };
  if (typeof command !== "string" || !Array.isArray(args)) return false;
  const words = args.filter((word) => typeof word === "string");
  const program = basename(command.replaceAll("\\", "/"), ".exe");
  if (program === "mcp-server-relay") return true;
  if (["uvx", "uv", "pipx"].includes(program)) return words.some((word) => /^mcp-server-relay(?:[@=].*)?$/.test(word));
  return /^python/.test(program) && words.some((word) => /(?:^|[/\\])relay_server\.py$/.test(word));
}

// Python writes CRLF on Windows.
function unixHash(content: Uint8Array): string {
  const text = Buffer.from(content).toString("latin1").replaceAll("\r\n", "\n");
  return hashOf(Buffer.from(text, "latin1")) ?? "";
}
