import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderBars } from "./bars.ts";
import { shoot } from "./film.ts";

const assets = join(import.meta.dir, "../../.github/assets");
writeFileSync(join(assets, "film.svg"), await shoot());
writeFileSync(join(assets, "bars.svg"), renderBars(JSON.parse(readFileSync(join(assets, "peers.json"), "utf8"))));
