import { type Row, round } from "../bench/table.ts";
import { escapeText } from "./reel.ts";

/** What `npm run bench -- peers --out FILE` writes. */
export interface Comparison {
  machine: string;
  date: string;
  rows: Row[];
}

const [width, labels, right, line] = [830, 230, 130, 22];
const colors = { relay: "#d97757", peer: "#7f8896" };

/** Two bars for each measure, of which the longer one is as long as there is room. */
export function renderBars({ machine, date, rows }: Comparison): string {
  const group = 2 * line + 16;
  const height = 66 + rows.length * group;
  const bars = rows.map(({ measure, value, unit, floor }, index) => {
    const y = 44 + index * group;
    const bar = (quantity: number, color: string, at: number, words: string) => {
      const long = Math.max(2, ((width - labels - right) * quantity) / Math.max(value, floor.value));
      return `<rect x="${labels}" y="${at}" width="${long.toFixed(1)}" height="${line - 4}" rx="2" fill="${color}"/>
<text x="${(labels + long + 8).toFixed(1)}" y="${at + 14}">${words}</text>`;
    };
    return `<text x="${labels - 12}" y="${y + 24}" text-anchor="end">${escapeText(measure)}</text>
${bar(value, colors.relay, y, `${round(value)} ${unit}`)}
${bar(floor.value, colors.peer, y + line, `${round(floor.value)} ${unit}, ${round(floor.value / value)}×`)}`;
  });
  const key = (x: number, color: string, name: string) =>
    `<rect x="${x}" y="16" width="12" height="12" rx="2" fill="${color}"/><text x="${x + 18}" y="27">${escapeText(name)}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="relay beside ${escapeText(rows[0]?.floor.name ?? "")}">
<style>text{font:13px -apple-system,BlinkMacSystemFont,"Segoe UI",Helvetica,Arial,"DejaVu Sans",sans-serif;fill:#d6d9de}.n{font-size:11px;fill:#9aa4b2}</style>
<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="9" fill="#12161c" stroke="#5b6470"/>
${key(labels, colors.relay, "relay")}${key(labels + 90, colors.peer, rows[0]?.floor.name ?? "")}
${bars.join("\n")}
<text class="n" x="${labels}" y="${height - 12}">Medians; ${escapeText(machine)}, ${date}</text>
</svg>
`;
}
