import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { notifiersFrom } from "../support/notifiers.ts";

const diskBytes = 16 * 1024 * 1024; // a full window of the longest messages, a round's history, and little more

/** Where a run takes place. */
export type Place = ReturnType<typeof makePlace>;

/** Makes a home with a notifier of its own, and a disk and a clock of its own, if the machine has means for them. */
export function makePlace() {
  const folder = mkdtempSync(join(tmpdir(), "relay-torture-")); // its disk does not fill
  const at = (name: string) => join(folder, name);
  for (const name of ["home", "programs", "calls"]) mkdirSync(at(name), { mode: 0o700 });
  const hasDisk = mount(at("home"));
  const clock = clockLibrary();
  const write = (name: string, text: string) => {
    writeFileSync(at("new"), text);
    renameSync(at("new"), at(name)); // nobody finds half of it
  };
  const setClock = (seconds: number) => write("clock", `${seconds >= 0 ? "+" : ""}${seconds}`);
  const setOutcome = (outcome: string) => write("outcome", `${outcome}\n`);
  setClock(0);
  writeFileSync(at("attached"), "a file ".repeat(500));
  writePrograms(at("programs"), at("calls"), at("outcome"));
  const env: Record<string, string> = {
    HOME: at("home"),
    PATH: `${at("programs")}:/usr/local/bin:/usr/bin:/bin`,
    TMPDIR: folder,
    LANG: "C.UTF-8",
    LD_PRELOAD: clock ?? "",
    FAKETIME_TIMESTAMP_FILE: at("clock"),
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1", // what jumps on a real machine is the time of day
    NO_FAKE_STAT: "1",
  };
  const remove = () => {
    if (hasDisk) Bun.spawnSync(["umount", "--lazy", at("home")]);
    rmSync(folder, { recursive: true, force: true });
  };
  const paths = { folder, home: at("home"), buffer: at("home/.relay_buffer.db"), calls: at("calls") };
  const through = notifiersFrom(at("programs"));
  return { ...paths, env, through, hasDisk, hasClock: clock !== null, setClock, setOutcome, remove };
}

function mount(path: string): boolean {
  if (!Bun.which("mount")) return false;
  const argv = ["mount", "-t", "tmpfs", "-o", `size=${diskBytes},mode=0700`, "relay-torture", path];
  return Bun.spawnSync(argv, { stdio: ["ignore", "ignore", "ignore"] }).exitCode === 0;
}

/**
 * The path of a library that gives a program another clock; `null` without one. The package is called faketime, and puts it
 * into a folder for the machine's kind of processor.
 */
export function clockLibrary(): string | null {
  const roots = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].filter(existsSync);
  const folders = roots.flatMap((root) => ["", ...readdirSync(root)].map((name) => join(root, name)));
  return folders.map((folder) => join(folder, "faketime/libfaketimeMT.so.1")).find(existsSync) ?? null;
}

/** Removes what libfaketime leaves behind of a process that ended. */
export function removeClock(pid: number): void {
  for (const name of ["faketime_shm", "sem.faketime_sem"]) rmSync(`/dev/shm/${name}_${pid}`, { force: true });
}

// It ends as it finds written, and says so; by which processes it was started, and with what. Between relay and it may
// stand a program that ends it in time. Nothing reaches a real screen or speaker.
function writePrograms(programs: string, calls: string, outcome: string): void {
  const script = `#!/bin/sh
read -r outcome < "${outcome}"
read -r _ _ _ grandparent _ < "/proc/$PPID/stat"
while [ $# -gt 2 ]; do shift; done
printf '%s\\n%s\\n%s\\n%s\\n' "$outcome" "$PPID $grandparent" "$1" "$2" > "${calls}/$$.new"
mv "${calls}/$$.new" "${calls}/$$.call"
case $outcome in
  shown) exit 0 ;;
  slow) sleep 2.6; exit 0 ;;
  hang) sleep 30 ;;
esac
exit 1
`;
  writeFileSync(join(programs, "notify-send"), script, { mode: 0o755 });
  for (const name of ["busctl", "canberra-gtk-play"])
    writeFileSync(join(programs, name), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
}
