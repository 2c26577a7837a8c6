import { type DatabaseUrl, describeDatabase } from "../core/database-url.ts";
import { report } from "../store/postgres/administration.ts";
import { type Finding, failed, ok, warn } from "./check.ts";

// A larger difference makes the ages that are shown wrong. Nothing else depends on this machine's clock.
const clockMs = 60_000;

// Above this, the hooks and the status line give up before the database answers: to connect, encrypt, log in and ask takes
// seven ways there and back.
const slowMs = 20;

/** The database in place of the buffer file: whether it can be reached and written, and what it says of itself. */
export async function checkDatabase(database: DatabaseUrl): Promise<Finding[]> {
  const name = "database";
  const where = describeDatabase(database);
  try {
    const { buffer, schema, server, role, seesOthers, aheadMs, latencyMs, refusal } = await report(database);
    const apart = `${(Math.abs(aheadMs) / 1_000).toFixed(1)} s`;
    const rights = refusal ? "" : ", may write";
    const details = `PostgreSQL ${server}, schema ${schema}, role ${role}${rights}, ${latencyMs.toFixed(1)} ms, clocks ${apart} apart`;
    const finding = ok(name, `${where}: ${details}; buffer ${buffer} on every machine that shares it`);
    return [
      finding,
      ...(refusal ? [failed("write", refusal)] : []),
      ...(seesOthers
        ? [warn("role", `${role} may read everybody's messages`, "Use a role of: relay connect URL --create-role NAME")]
        : []),
      ...(Math.abs(aheadMs) > clockMs
        ? [
            warn(
              "clock",
              `this machine is ${apart} ${aheadMs < 0 ? "behind" : "ahead of"} the database`,
              "Set its clock.",
            ),
          ]
        : []),
      ...(latencyMs > slowMs
        ? [
            warn(
              "latency",
              `an answer takes ${latencyMs.toFixed(0)} ms`,
              "The status line may show nothing; a pooler on this machine helps.",
            ),
          ]
        : []),
    ];
  } catch (error) {
    return [failed(name, error)];
  }
}
