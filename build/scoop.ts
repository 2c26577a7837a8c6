import { type Publication, published } from "./manifests.ts";

/** A manifest for Scoop, the package manager of Windows (its wiki, "App Manifests"). */
export function scoopManifest(publication: Publication): string {
  const { version, description, license, address } = publication;
  const architecture = (cpu: string) => {
    const { url, sha256 } = published(publication, `relay-windows-${cpu}.zip`);
    return { url, hash: sha256 };
  };
  const manifest = {
    version,
    description,
    homepage: address.homepage,
    license,
    architecture: { "64bit": architecture("x64"), arm64: architecture("arm64") },
    bin: "relay.exe",
  };
  return `${JSON.stringify(manifest, null, 4)}\n`;
}
