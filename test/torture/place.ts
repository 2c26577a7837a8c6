import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

// Room for a full window of the longest messages and its journal, and little more.
const diskBytes = 6 * 1024 * 1024;

/** Where a run takes place: a home on a disk of its own, a clock of its own, a notifier of its own. */
export interface Place {
  /** What is not on the small disk: calls of the notifier, the clock, files that were renamed away. */
  folder: string;
  home: string;
  buffer: string;
  env: Record<string, string>;
  /** Where the notifier leaves its calls. */
  calls: string;
  hasDisk: boolean;
  hasClock: boolean;
  /** Sets everybody's clock to so many seconds off the machine's. */
  setClock(offset: number): void;
  /** Gives the disk back. The folder is somebody else's. */
  remove(): void;
}

/** Makes a place in an empty folder. What the machine lacks for it is missing there, and said so by `hasDisk` and `hasClock`. */
export function makePlace(folder: string): Place {
  const at = (name: string) => join(folder, name);
  for (const name of ["home", "programs", "calls"]) mkdirSync(at(name), { mode: 0o700 });
  const hasDisk = mount(at("home"));
  const library = clockLibrary();
  const setClock = (offset: number) => {
    writeFileSync(at("clock.new"), `${offset >= 0 ? "+" : ""}${offset}`);
    renameSync(at("clock.new"), at("clock"));
  };
  setClock(0);
  writePrograms(at("programs"), at("calls"));
  return {
    folder,
    home: at("home"),
    buffer: join(at("home"), ".relay_buffer.db"),
    calls: at("calls"),
    env: {
      HOME: at("home"),
      PATH: `${at("programs")}:/usr/local/bin:/usr/bin:/bin`,
      TMPDIR: folder,
      LANG: "C.UTF-8",
      ...(library && clockVariables(library, at("clock"))),
    },
    hasDisk,
    hasClock: library !== null,
    setClock,
    remove() {
      if (hasDisk) Bun.spawnSync(["umount", "--lazy", at("home")]);
    },
  };
}

function mount(path: string): boolean {
  const options = `size=${diskBytes},mode=0700`;
  const argv = ["mount", "-t", "tmpfs", "-o", options, "relay-torture", path];
  try {
    return Bun.spawnSync(argv, { stdio: ["ignore", "ignore", "ignore"] }).exitCode === 0;
  } catch {
    return false;
  }
}

// The package is called faketime, and puts its library into a folder for the machine's kind of processor.
function clockLibrary(): string | null {
  for (const root of ["/usr/lib", "/usr/lib64", "/usr/local/lib"]) {
    if (!existsSync(root)) continue;
    for (const folder of ["", ...readdirSync(root)]) {
      const library = join(root, folder, "faketime/libfaketimeMT.so.1");
      if (existsSync(library)) return library;
    }
  }
  return null;
}

// Timers go on as they are: what jumps on a real machine is the time of day.
function clockVariables(library: string, file: string): Record<string, string> {
  return {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    NO_FAKE_STAT: "1",
  };
}

/** Removes what libfaketime leaves behind of a process that ended. */
export function tidyClock(pid: number): void {
  for (const name of [`faketime_shm_${pid}`, `sem.faketime_sem_${pid}`])
    rmSync(join("/dev/shm", name), { force: true });
}

// It says who started it and with what, waits to be told what to do, and leaves nothing to a real screen or speaker.
function writePrograms(programs: string, calls: string): void {
  const script = `#!/bin/sh
call="${calls}/$$"
mkfifo "$call.answer" || exit 9
while [ $# -gt 2 ]; do shift; done
printf '%s\\n%s\\n%s\\n' "$PPID" "$1" "$2" > "$call.new"
mv "$call.new" "$call.call"
read -r outcome < "$call.answer"
rm -f "$call.answer"
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

/** Names of files in a folder with this ending. */
export function filesWith(ending: string, folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith(ending));
}
