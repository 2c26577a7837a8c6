import { bundleName, bundleSystems } from "./bundle-manifest.ts";
import { type Publication, published } from "./manifests.ts";

const schema = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";

/**
 * The entry for the MCP registry: a bundle for each system, with its hash (modelcontextprotocol.io/registry/package-types).
 * The official registry takes bundles from releases on GitHub or GitLab alone.
 */
export function serverJson(publication: Publication): string {
  const { version, description, address } = publication;
  const entry = {
    $schema: schema,
    name: `${address.namespace}/relay`,
    title: "Relay",
    description,
    version,
    websiteUrl: address.homepage,
    ...(address.repository && { repository: { url: address.repository, source: "github" } }),
    packages: bundleSystems.map((system) => {
      const { url, sha256 } = published(publication, bundleName(system));
      const transport = { type: "stdio" };
      return { registryType: "mcpb", identifier: url, version, fileSha256: sha256, transport };
    }),
  };
  return `${JSON.stringify(entry, null, 2)}\n`;
}
