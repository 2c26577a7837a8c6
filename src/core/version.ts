import manifest from "../../package.json" with { type: "json" };

/** The version of relay that this is. */
export const version: string = manifest.version;

/** What it is, in one sentence without a period. README, manifests and install scripts say the same. */
export const description: string = manifest.description;
