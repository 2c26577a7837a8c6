/**
 * The version of the schema, major×1000+minor. A newer minor one only adds. A newer major one is refused by its own
 * functions (functions.sql, `relay.accept`).
 */
export const schemaVersion = 1_001;
