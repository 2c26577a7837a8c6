import { existsSync } from "node:fs";
import { join } from "node:path";

const names = ["notify-send", "busctl", "canberra-gtk-play"];

/**
 * What to start relay through, so that it finds the programs of this folder in the place of the machine's notifiers, which
 * come before PATH: nothing where the machine has none, else a view of the disk of its own.
 */
export function notifiersFrom(folder: string): string[] {
  const replaced = names.filter((name) => existsSync(join("/usr/bin", name)) && existsSync(join(folder, name)));
  if (replaced.length === 0) return [];
  const mounts = replaced.map((name) => `mount --bind '${join(folder, name)}' /usr/bin/${name}`);
  const asRoot = process.getuid?.() === 0 ? [] : ["--map-root-user"];
  return ["unshare", ...asRoot, "--mount", "sh", "-c", `${mounts.join(" && ")} && exec "$@"`, "sh"];
}
