/**
 * What a program is started through that may no more than a person may: root, as whom tests often run, may read and
 * write whatever is read-only. Empty where nobody is root, and null where root's rights cannot be given up.
 */
export const asPerson: readonly string[] | null = personalRights();

function personalRights(): readonly string[] | null {
  if (process.getuid?.() !== 0) return [];
  const argv = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
  if (!Bun.which("setpriv")) return null;
  const probe = Bun.spawnSync([...argv, "true"], { stdio: ["ignore", "ignore", "ignore"] });
  return probe.exitCode === 0 ? argv : null;
}
