import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { type ZipEntry, zip } from "./zip-archive.ts";

/** What {@link packPlugin} packs. */
export interface PluginOptions {
  version: string;
  outDir: string;
  /** Where the release will be, without a slash at its end; left out, the plugin names no address. */
  baseUrl?: string;
}

const folder = join(import.meta.dir, "plugin");
const archiveName = "relay-plugin.zip";
const launcher = "launcher/relay";
const marketplacePath = ".claude-plugin/marketplace.json";

/**
 * Packs the plugin for Claude Code and answers the paths of what it wrote: `relay-plugin.zip`, which is a marketplace by
 * itself once unpacked, and for an address that begins with `https://` `marketplace.json`, to be added from there
 * (`claude plugin marketplace add`), which names the archive and its hash. The same arguments make the same bytes. Throws for
 * an address that a shell or a JSON text would not take as it stands.
 */
export async function packPlugin({ version, outDir, baseUrl }: PluginOptions): Promise<string[]> {
  if (baseUrl !== undefined && !/^https?:\/\/[\w.:/~%-]*[\w~%-]$/.test(baseUrl))
    throw new Error(
      `the address ${baseUrl} cannot stand in the plugin. Use letters, digits and . : / ~ % - _`,
    );
  const marketplace = JSON.parse(readFileSync(join(folder, "../..", marketplacePath), "utf8"));
  const [plugin] = marketplace.plugins;
  const from = (source: unknown) => json({ ...marketplace, plugins: [{ ...plugin, version, source }] });
  const files = [...new Glob("**/*").scanSync({ cwd: folder, dot: true })].sort();
  const archive = await zip([
    ...files.map((path) => entry(path, version, baseUrl)),
    { path: marketplacePath, data: Buffer.from(from("./")), mode: 0o644 },
  ]);
  const written = [write(outDir, archiveName, archive)];
  if (baseUrl?.startsWith("https://")) {
    const sha256 = new Bun.CryptoHasher("sha256").update(archive).digest("hex");
    const source = { source: "archive", url: `${baseUrl}/${archiveName}`, sha256 };
    written.push(write(outDir, "marketplace.json", from(source)));
  }
  return written;
}

function entry(path: string, version: string, baseUrl: string | undefined): ZipEntry {
  const data = readFileSync(join(folder, path));
  const mode = path === launcher ? 0o755 : 0o644;
  if (path === ".claude-plugin/plugin.json")
    return { path, data: Buffer.from(json({ ...JSON.parse(data.toString()), version })), mode };
  if (path !== launcher || baseUrl === undefined) return { path, data, mode };
  const install = `Install it with: curl -fsSL ${baseUrl}/install.sh | sh`;
  const stamped = data.toString().replace("Install it with install.sh from its release page", install);
  if (!stamped.includes(install)) throw new Error("the launcher has no place for the address.");
  return { path, data: Buffer.from(stamped), mode };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function write(outDir: string, name: string, data: string | Uint8Array): string {
  mkdirSync(outDir, { recursive: true });
  const path = join(outDir, name);
  writeFileSync(path, data);
  return path;
}
