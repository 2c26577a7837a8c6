import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $ } from "bun";
import { type BundleSystem, bundleManifest, bundleName, bundleSystems, type Offer } from "./bundle-manifest.ts";
import { withServer } from "./mcp-server.ts";
import { type ZipEntry, zip } from "./zip.ts";

/** The limit of the directory of extensions (modelcontextprotocol/mcpb#107). */
export const bundleLimitBytes = 100_000_000;

/**
 * Packs `relay-macos.mcpb`, `relay-windows.mcpb` and `relay-linux.mcpb` for Claude Desktop, each with relay for both
 * processors, from the binaries in `binariesDir` (`relay-linux-x64`, `relay-windows-arm64.exe` and so on) into the folder
 * `outDir`. Lists the tools and prompts that the binary for this machine offers. The same binaries make the same bytes.
 * Needs `xz` and GNU's `tar`. Throws if a bundle is larger than {@link bundleLimitBytes}.
 */
export async function packBundles(version: string, binariesDir: string, outDir: string): Promise<void> {
  const offer = await offerOf(join(binariesDir, `relay-${process.platform}-${process.arch}`));
  for (const system of bundleSystems) {
    const manifest = `${JSON.stringify(bundleManifest(system, version, offer), null, 2)}\n`;
    const archive = zip([
      document("manifest.json", Buffer.from(manifest)),
      document("icon.png", readFileSync(join(import.meta.dir, "plugin/.claude-plugin/icon.png"))),
      document("LICENSE", readFileSync(join(import.meta.dir, "../LICENSE"))),
      ...(await serverFiles[system](version, binariesDir)),
    ]);
    checkSize(bundleName(system), archive.length);
    writeFileSync(join(outDir, bundleName(system)), archive);
  }
}

/** Throws for a bundle that is too large for the directory of extensions. */
export function checkSize(name: string, bytes: number): void {
  if (bytes <= bundleLimitBytes) return;
  const [size, limit] = [bytes, bundleLimitBytes].map((number) => (number / 1e6).toFixed(1));
  throw new Error(`${name} is ${size} MB; the limit is ${limit} MB. Make its files smaller.`);
}

async function offerOf(program: string): Promise<Offer> {
  const home = mkdtempSync(join(tmpdir(), "relay-offer-"));
  try {
    return await withServer([program], "desktop", { HOME: home, RELAY_NOTIFY: "off" }, async (server) => {
      const [{ tools }, { prompts }] = await Promise.all([server.listTools(), server.listPrompts()]);
      return { tools: tools.map(described), prompts: prompts.map(described) };
    });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function described({ name, description = "" }: { name: string; description?: string | undefined }) {
  return { name, description };
}

// Two binaries for Linux or Windows are 106 MB in a zip. xz packs the rarer one into less, and the launcher unpacks it at
// its first start.
const serverFiles: Record<BundleSystem, (version: string, binariesDir: string) => Promise<ZipEntry[]>> = {
  async macos(version, folder) {
    const [x64, arm64] = readBoth(folder, "relay-darwin");
    return [
      program("server/relay-x64", x64),
      program("server/relay-arm64", arm64),
      shellLauncher(version, [x64, arm64]),
    ];
  },
  async linux(version, folder) {
    const [x64, arm64] = readBoth(folder, "relay-linux");
    // One thread, because the bytes depend on the number of threads.
    const packed = await $`xz -6 -T1 -c ${join(folder, "relay-linux-arm64")}`.quiet();
    return [
      program("server/relay-x64", x64),
      document("server/relay-arm64.xz", packed.bytes()),
      shellLauncher(version, [x64, arm64]),
    ];
  },
  async windows(_version, folder) {
    // In a tar archive, because the only program of Windows that reads xz is its tar.
    const sameEverywhere = "--format=ustar --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=755".split(" ");
    const packed =
      await $`tar -c ${sameEverywhere} --transform=s/windows-// -I ${"xz -6 -T1"} -C ${folder} relay-windows-arm64.exe`.quiet();
    return [
      program("server/relay-x64.exe", readFileSync(join(folder, "relay-windows-x64.exe"))),
      document("server/relay-arm64.tar.xz", packed.bytes()),
      program("server/launch.cmd", Buffer.from(launcher("launch.cmd").replaceAll("\n", "\r\n"))),
    ];
  },
};

function readBoth(folder: string, name: string): [x64: Uint8Array, arm64: Uint8Array] {
  return [readFileSync(join(folder, `${name}-x64`)), readFileSync(join(folder, `${name}-arm64`))];
}

/** The launcher with an id of these programs, so that it runs no copy of others. */
function shellLauncher(version: string, programs: Uint8Array[]): ZipEntry {
  const hash = new Bun.CryptoHasher("sha256");
  for (const binary of programs) hash.update(binary);
  const id = `id=${version}-${hash.digest("hex").slice(0, 12)}`;
  return program("server/launch.sh", Buffer.from(launcher("launch.sh").replace(/^id=.*$/m, id)));
}

function launcher(name: string): string {
  return readFileSync(join(import.meta.dir, "bundle", name), "utf8");
}

function program(path: string, data: Uint8Array): ZipEntry {
  return { path, data, mode: 0o755 };
}

function document(path: string, data: Uint8Array): ZipEntry {
  return { path, data, mode: 0o644 };
}
