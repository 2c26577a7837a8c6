import { appendFileSync, chownSync, existsSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseUrl } from "../../src/core/database-url.ts";

const versions = existsSync("/usr/lib/postgresql") ? readdirSync("/usr/lib/postgresql") : [];
const programs = `/usr/lib/postgresql/${versions.toSorted((a, b) => Number(a) - Number(b)).at(-1)}/bin`;

/** Whether this machine has PostgreSQL's server. */
export const hasPostgres = existsSync(`${programs}/initdb`);

/** The path of PgBouncer; `null` where there is none. */
export const pooler = Bun.which("pgbouncer", { PATH: `${process.env.PATH}:/usr/sbin` });

/** A PostgreSQL server of its own, on a socket in a temporary folder. */
export interface PostgresServer extends AsyncDisposable {
  /** The folder of its socket. */
  folder: string;
  /** A port of its own, on this machine. */
  port: number;
  /** A new, empty database, and its URL through the socket. */
  database(user?: string): Promise<DatabaseUrl>;
  /** Runs SQL as the administrator. */
  query(text: string, database?: string): Promise<Record<string, unknown>[]>;
  /** Runs `pg_ctl`. */
  control(...args: string[]): void;
  /** The path of a program of PostgreSQL's. */
  program(name: string): string;
  /** Runs a program as the server's user, because the server refuses root. */
  run(argv: string[]): void;
}

/**
 * Starts a server, which ends at once with this process, however that ends. Use with `await using`. The words of `through`
 * stand before its programs.
 */
export async function startPostgres(
  settings: Record<string, string> = {},
  through: readonly string[] = [],
): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), "relay-pg-"));
  const isRoot = process.getuid?.() === 0;
  const numbers = isRoot ? idsOf("postgres") : null;
  if (numbers) chownSync(folder, ...numbers);
  const port = freePort();
  const drop = numbers ? ["setpriv", `--reuid=${numbers[0]}`, `--regid=${numbers[1]}`, "--clear-groups"] : [];
  const place = { env: { PATH: process.env.PATH ?? "", LC_ALL: "C.UTF-8" }, cwd: "/" };
  const run = (argv: string[]) => {
    const done = Bun.spawnSync([...through, ...drop, ...argv], place);
    if (done.exitCode !== 0) throw new Error(`${argv[0]}: ${done.stdout}${done.stderr}`);
  };
  const data = join(folder, "data");
  const end = [...drop, `${programs}/pg_ctl`, "-D", data, "-m", "immediate", "stop"];
  // `cat` ends with its input, which the kernel closes when this process is killed
  const script = 'cat; cat "$0"/*.pid | xargs -r kill; "$@"; rm -rf "$0"';
  const keeper = Bun.spawn(["setsid", "-w", "sh", "-c", script, folder, ...end], {
    ...place,
    stdio: ["pipe", "ignore", "ignore"],
  });
  keeper.unref();
  run([`${programs}/initdb`, "-D", data, "-U", "admin", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]);
  appendFileSync(join(data, "pg_hba.conf"), "host all all samenet trust\n");
  const all = { unix_socket_directories: folder, listen_addresses: "127.0.0.1", port: `${port}`, ...settings };
  const options = Object.entries(all).map(([name, value]) => `-c ${name}=${value}`);
  const control = (...args: string[]) =>
    run([`${programs}/pg_ctl`, "-D", data, "-w", "-l", join(folder, "log"), "-o", options.join(" "), ...args]);
  control("start");
  const clientOf = (database: string) =>
    new Bun.SQL({
      adapter: "postgres",
      url: "postgres://x",
      hostname: folder,
      port,
      username: "admin",
      database,
      max: 1,
    });
  let databases = 0;
  const query = async (text: string, database = "postgres") => {
    await using sql = clientOf(database);
    return [...(await sql.unsafe(text))];
  };
  return {
    folder,
    port,
    query,
    control,
    run,
    program: (name) => `${programs}/${name}`,
    async database(user = "admin") {
      databases += 1;
      const name = `test${databases}`;
      await query(`CREATE DATABASE ${name}`);
      return { host: folder, port, database: name, user, password: null, ssl: "disable", rootCertificate: null };
    },
    async [Symbol.asyncDispose]() {
      keeper.stdin.end();
      await keeper.exited;
    },
  };
}

/**
 * Starts PgBouncer before a server, as most people run it: a connection is someone else's after each transaction. It ends with
 * the server. Answers its port.
 */
export async function startPooler({ folder, port: server, run, query }: PostgresServer): Promise<number> {
  const port = freePort();
  const file = (name: string) => join(folder, `pooler.${name}`);
  const users = await query("SELECT rolname FROM pg_roles");
  writeFileSync(file("users"), users.map(({ rolname }) => `"${rolname}" ""\n`).join(""));
  writeFileSync(
    file("ini"),
    `[databases]
* = host=${folder} port=${server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${file("users")}
pool_mode = transaction
logfile = ${file("log")}
pidfile = ${file("pid")}
`,
  );
  run([pooler ?? "pgbouncer", "-d", file("ini")]);
  return port;
}

function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  probe.stop(true);
  return probe.port;
}

function idsOf(user: string): [number, number] {
  const id = (flag: string) => Number(Bun.spawnSync(["id", flag, user]).stdout.toString());
  return [id("-u"), id("-g")];
}
