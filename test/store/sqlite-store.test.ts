import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "../../src/core/store.ts";
import { createSqliteStore } from "../../src/store/sqlite-store.ts";
import { describeStore } from "./contract.ts";

describeStore("a store in a SQLite file", (clock, isRunning) => {
  const folder = mkdtempSync(join(tmpdir(), "relay-store-"));
  const stores: Store[] = [];
  return {
    open(server) {
      const options = { locate: () => join(folder, "buffer.db"), clock, isRunning };
      const store = createSqliteStore(server === undefined ? options : { ...options, server });
      stores.push(store);
      return store;
    },
    async [Symbol.asyncDispose]() {
      for (const store of stores) store.close();
      rmSync(folder, { recursive: true });
    },
  };
});
