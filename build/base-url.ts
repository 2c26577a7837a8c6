/** The address of a release, and its publisher. */
export interface Address {
  /** Without a slash at its end. */
  baseUrl: string;
  /** The project's page: the repository on GitHub, else the base URL itself. */
  homepage: string;
  repository: string | null;
  /** The publisher's prefix in the MCP registry: `io.github.OWNER`, else the host's name in reverse. */
  namespace: string;
}

/**
 * Checks `--base-url`. It goes into scripts that strangers run, so it must be https (or http on this machine, for tests),
 * with only letters, digits and `. _ ~ : / % -`. Throws one sentence otherwise.
 */
export function readBaseUrl(value: string | undefined): Address {
  if (!value) throw new Error(`--base-url is missing. Give the address of the assets: --base-url ${example}`);
  const url = URL.canParse(value) ? new URL(value) : null;
  if (!url || !/^[\w.~:/%-]*[\w~/%-]$/.test(value)) throw urlError(value, "it is not a plain address");
  const isHere = ["127.0.0.1", "localhost"].includes(url.hostname);
  if (url.protocol !== "https:" && !(isHere && url.protocol === "http:")) throw urlError(value, "it is not https");
  const baseUrl = value.replace(/\/+$/, "");
  const [owner, name] = url.pathname.split("/").filter(Boolean);
  if (url.hostname !== "github.com" || !owner || !name) {
    const namespace = url.hostname.split(".").reverse().join(".");
    return { baseUrl, homepage: baseUrl, repository: null, namespace };
  }
  const repository = `https://github.com/${owner}/${name}`;
  return { baseUrl, homepage: repository, repository, namespace: `io.github.${owner}` };
}

const example = "https://github.com/OWNER/REPOSITORY/releases/download/vX.Y.Z";

function urlError(value: string, reason: string): Error {
  return new Error(`--base-url is ${JSON.stringify(value)}: ${reason}. Use something like ${example}`);
}
