import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BundleSystem, bundleManifest, bundleName, bundleSystems } from "./bundle-manifest.ts";
import { describeServer } from "./describe.ts";
import { tar } from "./tar.ts";
import { type ZipEntry, zip } from "./zip-archive.ts";

/** What {@link packBundles} packs. */
export interface BundleOptions {
  version: string;
  /** The folder of `relay-linux-x64`, `relay-linux-arm64`, `relay-darwin-arm64` and so on, Windows' with `.exe`. */
  binariesDir: string;
  outDir: string;
  /** For tests that have no time: larger files, the same layout. */
  hasty?: boolean;
}

/** The directory of extensions takes no more (modelcontextprotocol/mcpb#107). */
export const bundleLimitBytes = 100_000_000;

/**
 * Packs `relay-macos.mcpb`, `relay-windows.mcpb` and `relay-linux.mcpb` for Claude Desktop, each with relay for both
 * processors, and answers their paths. The same binaries make the same bytes. What the manifest says of tools and prompts
 * is asked of the binary for this machine. Needs `xz`. Throws if one is larger than {@link bundleLimitBytes}.
 */
export async function packBundles({
  version,
  binariesDir,
  outDir,
  hasty = false,
}: BundleOptions): Promise<string[]> {
  const system = process.platform === "win32" ? "windows" : process.platform;
  const extension = system === "windows" ? ".exe" : "";
  const offer = await describeServer(join(binariesDir, `relay-${system}-${process.arch}${extension}`));
  mkdirSync(outDir, { recursive: true });
  return Promise.all(
    bundleSystems.map(async (each) => {
      const manifest = `${JSON.stringify(bundleManifest(each, version, offer), null, 2)}\n`;
      const archive = await zip(
        [
          document("manifest.json", Buffer.from(manifest)),
          document("icon.png", read(import.meta.dir, "plugin/.claude-plugin/icon.png")),
          document("LICENSE", read(import.meta.dir, "../LICENSE")),
          ...(await serverFiles[each](version, binariesDir, hasty)),
        ],
        hasty ? 1 : 9,
      );
      const name = bundleName(each);
      checkSize(name, archive.length);
      writeFileSync(join(outDir, name), archive);
      return join(outDir, name);
    }),
  );
}

/** Throws for a bundle that the directory of extensions would not take. */
export function checkSize(name: string, bytes: number): void {
  if (bytes <= bundleLimitBytes) return;
  const megabytes = (bytes / 1e6).toFixed(1);
  throw new Error(
    `${name} is ${megabytes} MB; the limit is ${bundleLimitBytes / 1e6} MB. Make what is in it smaller.`,
  );
}

type ServerFiles = (version: string, binariesDir: string, hasty: boolean) => Promise<ZipEntry[]>;

// Two binaries of Linux or Windows are 106 MB with what zip can do. So the rarer one is packed better, and the launcher
// unpacks it at its first start.
const serverFiles: Record<BundleSystem, ServerFiles> = {
  async macos(version, folder) {
    const programs = { x64: read(folder, "relay-darwin-x64"), arm64: read(folder, "relay-darwin-arm64") };
    return [
      program("server/relay-x64", programs.x64),
      program("server/relay-arm64", programs.arm64),
      shellLauncher(version, [programs.x64, programs.arm64]),
    ];
  },
  async linux(version, folder, hasty) {
    const programs = { x64: read(folder, "relay-linux-x64"), arm64: read(folder, "relay-linux-arm64") };
    return [
      program("server/relay-x64", programs.x64),
      document("server/relay-arm64.xz", await xz(programs.arm64, hasty)),
      shellLauncher(version, [programs.x64, programs.arm64]),
    ];
  },
  async windows(_version, folder, hasty) {
    // tar, because Windows has no other program that reads xz
    const arm64 = tar("relay-arm64.exe", read(folder, "relay-windows-arm64.exe"));
    return [
      program("server/relay-x64.exe", read(folder, "relay-windows-x64.exe")),
      document("server/relay-arm64.tar.xz", await xz(arm64, hasty)),
      program("server/launch.cmd", Buffer.from(launcher("launch.cmd").replaceAll("\n", "\r\n"))),
    ];
  },
};

function shellLauncher(version: string, programs: Uint8Array[]): ZipEntry {
  const hash = new Bun.CryptoHasher("sha256");
  for (const each of programs) hash.update(each);
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

function read(folder: string, name: string): Buffer {
  return readFileSync(join(folder, name));
}

// One thread, because the number of threads shows in the bytes.
async function xz(data: Uint8Array, hasty: boolean): Promise<Uint8Array> {
  const child = Bun.spawn(["xz", hasty ? "-0" : "-6", "-T1", "-c"], {
    stdin: data,
    stdout: "pipe",
    stderr: "inherit",
  });
  const packed = await new Response(child.stdout).bytes();
  if ((await child.exited) !== 0) throw new Error("xz failed. Is it installed?");
  return packed;
}
