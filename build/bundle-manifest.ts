import type { Offer } from "./describe.ts";

/** A system that has a bundle of its own. */
export type BundleSystem = "macos" | "windows" | "linux";

/** All of them. */
export const bundleSystems: readonly BundleSystem[] = ["macos", "windows", "linux"];

/** What a system's bundle is called among the assets of a release. */
export function bundleName(system: BundleSystem): string {
  return `relay-${system}.mcpb`;
}

const platforms: Record<BundleSystem, string> = { macos: "darwin", windows: "win32", linux: "linux" };

/**
 * The manifest of a bundle (MANIFEST.md 0.3 of modelcontextprotocol/mcpb): what Claude Desktop shows of relay, and how it
 * starts it.
 */
export function bundleManifest(system: BundleSystem, version: string, { tools, prompts }: Offer) {
  return {
    manifest_version: "0.3",
    name: "relay",
    display_name: "relay",
    version,
    description: "Moves messages between Claude Desktop and Claude Code, when you say so",
    long_description:
      "relay moves messages between Claude Desktop and Claude Code on your machine, while their contexts stay separate. A model sends whenever it likes; it reads when you say so. Say `get`, or pick the prompt `get` in the + menu. In Claude Code, install relay's plugin or run `relay setup-code`.",
    author: { name: "relay developers" },
    license: "MIT",
    keywords: ["claude-code", "messages"],
    icon: "icon.png",
    server: { type: "binary", ...start(system) },
    tools,
    // its text is made when it is asked for; the format wants one all the same
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
    'What is heard when Code sent something: "default", "off", or the name of one of your system\'s sounds, such as "Ping" on macOS, "bell" on Linux or "Mail" on Windows',
  default: "default",
  required: false,
};

// One word with the setting inside: alone it would stay the literal `${user_config.sound}` when it is empty, as
// mcpb's own getMcpConfigForManifest leaves it.
const args = ["--client", "desktop", `--sound=\${user_config.sound}`];

/**
 * A manifest cannot choose by processor (modelcontextprotocol/mcpb#10), and the execute bits are lost on the way (#294): so
 * a shell that every system has reads a launcher. `call` spares the launcher's path, which has spaces, what cmd.exe does to
 * quotation marks at the start of its command line (`cmd /?`).
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
