import type { Address } from "./base-url.ts";
import type { Asset } from "./checksums.ts";

/** What every manifest is made from. `description` is a sentence of at most 100 characters, as the MCP registry has it. */
export interface Publication {
  version: string;
  description: string;
  license: string;
  address: Address;
  /** The files that were made so far. */
  assets: readonly Asset[];
}

/** Finds an asset and where it will be. Throws when it was not made. */
export function published({ address, assets }: Publication, name: string): { url: string; sha256: string } {
  const asset = assets.find((made) => made.name === name);
  if (!asset) throw new Error(`${name} was not made.`);
  return { url: `${address.baseUrl}/${name}`, sha256: asset.sha256 };
}
