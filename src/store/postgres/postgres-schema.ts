import { RelayError } from "../../core/errors.ts";
import * as limits from "../../core/limits.ts";
import { schemaVersion } from "./call-format.ts";
import functions from "./functions.sql" with { type: "text" };
import tables from "./tables.sql" with { type: "text" };

/**
 * Brings the database to this binary's schema, in one transaction and one process at a time. Does nothing in a database
 * that has it, or a newer one. Throws the database's error.
 */
export async function migrate(sql: Bun.SQL): Promise<void> {
  await sql.begin(async (transaction) => {
    await transaction`SET LOCAL lock_timeout = '4s'`;
    await transaction`SET LOCAL search_path = pg_catalog`; // any role may have made functions elsewhere
    await transaction`SELECT pg_advisory_xact_lock(hashtext('relay schema'))`;
    const [found] = await transaction`SELECT to_regprocedure('relay.version()') IS NOT NULL AS present`;
    const [current] = found.present ? await transaction`SELECT relay.version() AS version` : [];
    if (current?.version >= schemaVersion) return;
    const [{ encoding }] = await transaction`SELECT current_setting('server_encoding') AS encoding`;
    if (encoding !== "UTF8")
      throw new RelayError(
        "buffer",
        `this database keeps its texts in ${encoding}`,
        "relay needs UTF-8: createdb --encoding UTF8 --template template0 relay",
      );
    await transaction.unsafe(tables).simple();
    await transaction.unsafe(fillIn(functions)).simple();
  });
}

function fillIn(text: string): string {
  const values: Record<string, unknown> = { ...limits, version: schemaVersion };
  return text.replaceAll(/\{([a-z]\w*)\}/gi, (placeholder, name) => {
    if (typeof values[name] !== "number")
      throw new Error(`functions.sql names ${placeholder}, which limits.ts has not`);
    return String(values[name]);
  });
}
