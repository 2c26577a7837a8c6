/**
 * The words before a command that take root's rights from it: tests often run as root, which may read and write every
 * file. Empty if the tests do not run as root, and null where its rights cannot be dropped.
 */
export const asPerson: readonly string[] | null = personalRights();

function personalRights(): readonly string[] | null {
  if (process.getuid?.() !== 0) return [];
  const argv = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
  if (!Bun.which("setpriv")) return null;
  const probe = Bun.spawnSync([...argv, "true"], { stdio: ["ignore", "ignore", "ignore"] });
  return probe.exitCode === 0 ? argv : null;
}
