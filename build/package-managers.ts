import type { Address } from "./base-url.ts";
import { bundleName, bundleSystems } from "./bundle-manifest.ts";
import type { Asset } from "./checksums.ts";

/** The facts of a release for package managers and registries. */
export interface Publication {
  version: string;
  /** A sentence of at most 100 characters, the MCP registry's limit. */
  description: string;
  license: string;
  address: Address;
  /** The files that can be downloaded. */
  assets: readonly Asset[];
}

/** A formula for Homebrew on macOS and Linux (docs.brew.sh/Formula-Cookbook), which unpacks `.gz` by itself. */
export function homebrewFormula(publication: Publication): string {
  const { version, description, license, address } = publication;
  const download = (system: string, cpu: string) => {
    const { url, sha256 } = find(publication, `relay-${system}-${cpu}.gz`);
    return `      url "${url}"\n      sha256 "${sha256}"`;
  };
  const on = (brewSystem: string, system: string) => `  on_${brewSystem} do
    on_arm do
${download(system, "arm64")}
    end
    on_intel do
${download(system, "x64")}
    end
  end`;
  return `class Relay < Formula
  desc ${rubyString(description.replace(/\.$/, ""))}
  homepage "${address.homepage}"
  version "${version}"
  license "${license}"

${on("macos", "darwin")}

${on("linux", "linux")}

  def install
    bin.install Dir["relay-*"].first => "relay"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/relay --version")
  end
end
`;
}

/** A manifest for Scoop, the package manager of Windows (its wiki, "App Manifests"). */
export function scoopManifest(publication: Publication): string {
  const { version, description, license, address } = publication;
  const download = (cpu: string) => {
    const { url, sha256 } = find(publication, `relay-windows-${cpu}.zip`);
    return { url, hash: sha256 };
  };
  const architecture = { "64bit": download("x64"), arm64: download("arm64") };
  const { homepage } = address;
  return json({ version, description, homepage, license, architecture, bin: "relay.exe" }, 4);
}

/**
 * The entry for the MCP registry: a bundle for each system, with its hash (modelcontextprotocol.io/registry/package-types).
 * The official registry takes bundles only from releases on GitHub or GitLab.
 */
export function registryEntry(publication: Publication): string {
  const { version, description, address } = publication;
  const packages = bundleSystems.map((system) => {
    const { url, sha256 } = find(publication, bundleName(system));
    const transport = { type: "stdio" };
    return { registryType: "mcpb", identifier: url, version, fileSha256: sha256, transport };
  });
  const entry = {
    $schema: "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
    name: `${address.namespace}/relay`,
    title: "Relay",
    description,
    version,
    websiteUrl: address.homepage,
    ...(address.repository && { repository: { url: address.repository, source: "github" } }),
    packages,
  };
  return json(entry, 2);
}

function find({ address, assets }: Publication, name: string): { url: string; sha256: string } {
  const asset = assets.find((made) => made.name === name);
  if (!asset) throw new Error(`${name} is not in the release`);
  return { url: `${address.baseUrl}/${name}`, sha256: asset.sha256 };
}

function rubyString(text: string): string {
  return `"${text.replace(/["\\#]/g, "\\$&")}"`;
}

function json(value: unknown, indent: number): string {
  return `${JSON.stringify(value, null, indent)}\n`;
}
