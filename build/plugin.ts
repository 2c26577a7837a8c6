import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { type ZipEntry, zip } from "./zip.ts";

const folder = join(import.meta.dir, "plugin");
const archiveName = "relay-plugin.zip";
const launcher = "launcher/relay";
const marketplacePath = ".claude-plugin/marketplace.json";

/**
 * Packs the plugin for Claude Code into the folder `outDir`: `relay-plugin.zip`, which unpacked is a marketplace by itself,
 * and for an address with `https` `marketplace.json`, which names the archive and its hash
 * (`claude plugin marketplace add`). `baseUrl` is from `readBaseUrl`. The same arguments make the same bytes.
 */
export function packPlugin(version: string, baseUrl: string, outDir: string): void {
  const marketplace = JSON.parse(readFileSync(join(folder, "../..", marketplacePath), "utf8"));
  const [plugin] = marketplace.plugins;
  const from = (source: unknown) => json({ ...marketplace, plugins: [{ ...plugin, version, source }] });
  const files = [...new Glob("**/*").scanSync({ cwd: folder, dot: true })].sort();
  const archive = zip([
    ...files.map((path) => entry(path, version, baseUrl)),
    { path: marketplacePath, data: Buffer.from(from("./")), mode: 0o644 },
  ]);
  writeFileSync(join(outDir, archiveName), archive);
  if (!baseUrl.startsWith("https://")) return;
  const sha256 = new Bun.CryptoHasher("sha256").update(archive).digest("hex");
  const source = { source: "archive", url: `${baseUrl}/${archiveName}`, sha256 };
  writeFileSync(join(outDir, "marketplace.json"), from(source));
}

function entry(path: string, version: string, baseUrl: string): ZipEntry {
  const data = readFileSync(join(folder, path));
  if (path === ".claude-plugin/plugin.json")
    return { path, data: Buffer.from(json({ ...JSON.parse(data.toString()), version })), mode: 0o644 };
  if (path !== launcher) return { path, data, mode: 0o644 };
  const install = `Install it with: curl -fsSL ${baseUrl}/install.sh | sh`;
  const stamped = data.toString().replace("Install it with install.sh from its release page", install);
  if (!stamped.includes(install)) throw new Error("the launcher has no place for the address.");
  return { path, data: Buffer.from(stamped), mode: 0o755 };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
