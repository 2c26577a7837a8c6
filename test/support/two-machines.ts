import { readLines } from "./lines.ts";

const programs = ["unshare", "nsenter", "ip", "hostname"];
const separate = ["unshare", "--net", "--uts"];

/** Whether this process may make networks and host names of its own. */
export const canSeparate =
  programs.every((program) => Bun.which(program)) &&
  Bun.spawnSync([...separate, "hostname", "other"], { stdio: ["ignore", "ignore", "ignore"] }).exitCode === 0;

/** Two machines on one wire. Each has the words before a program that is to run on it, and an address. */
export interface TwoMachines extends AsyncDisposable {
  laptop: { through: string[]; address: string };
  box: { through: string[]; address: string };
}

/** Makes a laptop and a box that share nothing but the disk and a wire. They end with this process. Use with `await using`. */
export async function twoMachines(): Promise<TwoMachines> {
  const machines = [await start("laptop"), await start("box")] as const;
  const [laptop, box] = machines.map(({ pid }, index) => ({
    through: ["nsenter", "--target", `${pid}`, "--net", "--uts"],
    address: `10.77.0.${index + 1}`,
  })) as [TwoMachines["laptop"], TwoMachines["box"]];
  const ends = machines.map(({ pid }) => ["wire", "netns", `${pid}`]);
  run(["ip", "link", "add", ...(ends[0] ?? []), "type", "veth", "peer", "name", ...(ends[1] ?? [])]);
  for (const { through, address } of [laptop, box]) {
    run([...through, "ip", "address", "add", `${address}/24`, "dev", "wire"]);
    run([...through, "ip", "link", "set", "wire", "up"]);
  }
  return {
    laptop,
    box,
    async [Symbol.asyncDispose]() {
      for (const machine of machines) machine.kill("SIGKILL");
      await Promise.all(machines.map(({ exited }) => exited));
    },
  };
}

// It lasts as long as a process in it: `cat` ends with its input.
async function start(name: string) {
  const script = 'hostname "$0" && ip link set lo up && echo ready && exec cat';
  const child = Bun.spawn([...separate, "sh", "-c", script, name], { stdio: ["pipe", "pipe", "inherit"] });
  await readLines(child.stdout).next();
  return child;
}

function run(argv: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(argv);
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
}
