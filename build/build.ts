import { join } from "node:path";
import { compile } from "./compile.ts";

const root = join(import.meta.dir, "..");
const name = process.platform === "win32" ? "relay.exe" : "relay";

await compile({ entry: join(root, "src/main.ts"), outfile: join(root, "dist", name) });
console.log(`dist/${name}`);
