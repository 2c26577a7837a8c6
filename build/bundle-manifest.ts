import manifest from "../package.json" with { type: "json" };

/** A server's tools and prompts, for a manifest. */
export interface Offer {
  tools: Described[];
  prompts: Described[];
}

interface Described {
  name: string;
  description: string;
}

/** A system with a bundle of its own. */
export type BundleSystem = "macos" | "windows" | "linux";

/** All systems with a bundle. */
export const bundleSystems: readonly BundleSystem[] = ["macos", "windows", "linux"];

/** The name of a system's bundle among the assets of a release. */
export function bundleName(system: BundleSystem): string {
  return `relay-${system}.mcpb`;
}

const platforms: Record<BundleSystem, string> = { macos: "darwin", windows: "win32", linux: "linux" };

/** The manifest of a bundle, by which Claude Desktop describes and starts relay (MANIFEST.md 0.3 of modelcontextprotocol/mcpb). */
export function bundleManifest(system: BundleSystem, version: string, { tools, prompts }: Offer) {
  return {
    manifest_version: "0.3",
    name: "relay",
    display_name: "relay",
    version,
    description: manifest.description,
    long_description:
      "relay moves messages, files and pictures between Claude Desktop and Claude Code, while their contexts stay separate. A model sends whenever it likes; it reads when you say so. Say `get`, or pick the prompt `get` in the + menu. In Claude Code, install relay's plugin or run `relay setup-code`.",
    author: { name: "relay developers" },
    license: "MIT",
    keywords: ["claude-code", "messages"],
    icon: "icon.png",
    server: { type: "binary", ...start(system) },
    tools,
    // The format requires a text, but the server makes it on request.
    prompts: prompts.map(({ name, description }) => ({ name, description, text: description })),
    prompts_generated: true,
    compatibility: { platforms: [platforms[system]] },
    user_config: { sound },
  };
}

const sound = {
  type: "string",
  title: "Sound of notifications",
  description:
    'The sound when a message from Code arrives: "default", "off", or the name of one of your system\'s sounds, such as "Ping" on macOS, "bell" on Linux or "Mail" on Windows',
  default: "default",
  required: false,
};

// An empty setting leaves the literal `${user_config.sound}` (mcpb's getMcpConfigForManifest), and as a separate argument
// that would look like a word of its own.
const args = ["--client", "desktop", `--sound=\${user_config.sound}`];

/**
 * The command of a system. A manifest cannot choose by processor (modelcontextprotocol/mcpb#10), and Desktop loses the
 * execute bits (#294), so the system's shell reads a launcher. `call`, because cmd.exe removes the quotation marks around a
 * path at the start of its command line (`cmd /?`), and this path has spaces.
 */
function start(system: BundleSystem) {
  if (system !== "windows") {
    const launcher = "server/launch.sh";
    const command = "/bin/sh";
    return { entry_point: launcher, mcp_config: { command, args: [`\${__dirname}/${launcher}`, ...args] } };
  }
  const shell = ["/d", "/c", "call", `\${__dirname}\\server\\launch.cmd`];
  return {
    entry_point: "server/launch.cmd",
    mcp_config: { command: "cmd.exe", args: [...shell, ...args] },
  };
}
