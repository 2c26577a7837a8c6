/**
 * The files that a model never sends, whatever its roots: names of a file or of a folder above it, in any case. A star is
 * any text within a name, and `a/b` is `b` right below `a`. Names are all there is to go by; of keys see {@link isPrivateKey}.
 */
const secretFiles: Readonly<Record<string, readonly string[]>> = {
  "an environment file": [".env*", "*.env"],
  "a key": [
    ...[".ssh", ".gnupg", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "*.pem", "*.key", "*.p12", "*.pfx"],
    ...["*.ppk", "*.jks", "*.keystore", "*.kdbx"],
  ],
  "a store of credentials": [
    ...[".aws", ".azure", ".kube", ".docker/config.json", ".config/gcloud", ".config/gh", ".config/glab-cli"],
    ...[".netrc", "_netrc", ".git-credentials", ".config/git/credentials", ".npmrc", ".pypirc", ".pgpass", ".my.cnf"],
    ...[".cargo/credentials*", ".gem/credentials", ".terraform.d", ".vault-token", ".boto", ".s3cfg", "rclone.conf"],
    ...[
      ".htpasswd",
      ".password-store",
      "keyrings",
      "kwalletd",
      "keychains",
      "microsoft/credentials",
      "microsoft/vault",
    ],
    ...[".credentials.json", ".claude.json*", "claude_desktop_config.json", ".*_history"],
    ...["credentials.json", "service*account*.json", "kubeconfig", ".dockercfg", "*.tfstate*"],
  ],
  "in a repository's own folder": [".git"],
  "relay's own": [".relay_*"],
  "in a browser's or mail program's profile": [
    ...[".mozilla", ".thunderbird", "firefox/profiles", "thunderbird/profiles", "google/chrome", "microsoft/edge"],
    ...[".config/google-chrome*", ".config/chromium", ".config/microsoft-edge*", "bravesoftware", ".config/vivaldi"],
    ...[".config/opera*", "opera software", "application support/arc", "library/safari", "library/cookies"],
    ...["login data*", "cookies.sqlite*", "key4.db", "logins.json"], // wherever a package puts them
  ],
  "the state of a process": ["proc", "sys", "dev"].map((folder) => `^${folder}`),
};

/** What {@link secretFiles} calls a file with these parts in its path, from the root on; `null` if it is not on the list. */
export function secretKind(parts: readonly string[]): string | null {
  const path = `/${parts.join("/").toLowerCase()}/`;
  const found = Object.entries(secretFiles).find(([, names]) => names.some((name) => expression(name).test(path)));
  return found?.[0] ?? null;
}

// A caret stands for the root.
function expression(name: string): RegExp {
  const escaped = name.replace(/[.+()]/g, "\\$&").replaceAll("*", "[^/]*");
  return new RegExp(escaped.startsWith("^") ? `^/${escaped.slice(1)}/` : `/${escaped}/`);
}

/** Whether a text file begins as a private key does, whatever its name. */
export function isPrivateKey(content: Uint8Array): boolean {
  return /^\s*-----BEGIN [A-Z ]*PRIVATE KEY/.test(new TextDecoder().decode(content.subarray(0, 100)));
}
