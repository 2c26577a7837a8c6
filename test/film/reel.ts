import { paper, parseScreen, type Run } from "./ansi-runs.ts";

/** What is seen for a while: a terminal's screen, and how many lines of the chat above it. */
export interface Frame {
  screen: string;
  chat: number;
  milliseconds: number;
}

/** A line of the drawn chat. */
export interface ChatLine {
  from: "you" | "claude";
  text: string;
}

const width = 830; // GitHub's column
const [cell, lineHeight, fontSize] = [8.4, 18, 14];
const [bar, chatLine, margin, gap] = [30, 32, 12, 12];
const mono = 'ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace';
const sans = '-apple-system,BlinkMacSystemFont,"Segoe UI",Helvetica,Arial,"DejaVu Sans",sans-serif';

/** How many columns of a terminal fit. */
export const columns = Math.floor((width - 2 * margin) / cell);

/**
 * A film as one SVG that needs no script and no font: the frames are a strip that moves behind a window. Where animations
 * are off, it shows the frame `still`.
 */
export function renderFilm(frames: readonly Frame[], chat: readonly ChatLine[], still: number): string {
  const rows = frames.map(({ screen }) => parseScreen(screen).map(renderRow));
  const lines = Math.max(...rows.map((frame) => frame.length));
  const distinct = [...new Set(rows.flat())].filter((row) => row !== "");
  const ids = new Map(distinct.map((row, index) => [row, `r${index}`]));
  const strip = rows.map((frame, index) => {
    const uses = frame.map((row, line) => (row ? `<use href="#${ids.get(row)}" y="${line * lineHeight}"/>` : ""));
    return `<g transform="translate(${index * width})">${uses.join("")}</g>`;
  });
  const total = frames.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const starts = frames.map((_, index) => frames.slice(0, index).reduce((sum, frame) => sum + frame.milliseconds, 0));
  const percent = (time: number) => `${((100 * time) / total).toFixed(3)}%`;
  const moves = starts.map((start, index) => `${percent(start)}{transform:translateX(${-index * width}px)}`);
  const appearances = chat.map((_, line) => {
    const from = percent(starts[frames.findIndex((frame) => frame.chat > line)] ?? 0);
    return `@keyframes c${line}{0%{opacity:0}${from}{opacity:1}100%{opacity:1}}.c${line}{animation-name:c${line}}`;
  });
  const chatHeight = bar + chat.length * chatLine + margin;
  const terminalTop = chatHeight + gap;
  const height = terminalTop + bar + lines * lineHeight + margin;
  const stillChat = frames[still]?.chat ?? 0;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" xml:space="preserve" role="img" aria-label="A message goes from Claude Desktop to Claude Code, and an answer back">
<style>
text{white-space:pre}.m{font:${fontSize}px ${mono}}.s{font:${fontSize}px ${sans}}.t{font:12px ${sans};fill:#9aa4b2}
.p{animation-duration:${total}ms;animation-iteration-count:infinite;animation-timing-function:step-end}
.strip{transform:translateX(${-still * width}px);animation-name:play}@keyframes play{${moves.join("")}}
${appearances.join("\n")}
@media(prefers-reduced-motion:reduce){.p{animation:none}}
</style>
<defs>${distinct.map((row, index) => `<g id="r${index}">${row}</g>`).join("\n")}</defs>
${panel(0, chatHeight, "Claude Desktop (a drawing)", "#1f1e1c")}
${chat.map((line, index) => renderChatLine(line, index, index < stillChat)).join("\n")}
${panel(terminalTop, height - terminalTop, "Claude Code in a terminal (recorded)", paper)}
<clipPath id="window"><rect x="${margin}" y="${terminalTop + bar}" width="${width - 2 * margin}" height="${lines * lineHeight}"/></clipPath>
<g clip-path="url(#window)"><g class="m" transform="translate(${margin},${terminalTop + bar})"><g class="p strip">
${strip.join("\n")}
</g></g></g>
</svg>
`;
}

function panel(y: number, height: number, title: string, color: string): string {
  const frame = `<rect x=".5" y="${y + 0.5}" width="${width - 1}" height="${height - 1}" rx="9" fill="${color}" stroke="#5b6470"/>`;
  return `${frame}<text class="t" x="${margin}" y="${y + 19}">${title}</text>`;
}

function renderChatLine({ from, text }: ChatLine, line: number, isStill: boolean): string {
  const y = bar + line * chatLine;
  const shown = `class="p c${line}" opacity="${isStill ? 1 : 0}"`;
  if (from === "claude")
    return `<g ${shown}><text class="s" x="${margin + 8}" y="${y + 18}" fill="#e9e6df">${escapeText(text)}</text></g>`;
  const long = text.length * 7.2 + 24;
  const bubble = `<rect x="${width - margin - long}" y="${y - 2}" width="${long}" height="28" rx="9" fill="#3a3834"/>`;
  const words = `<text class="s" x="${width - margin - long / 2}" y="${y + 17}" text-anchor="middle" fill="#f5f3ee">${escapeText(text)}</text>`;
  return `<g ${shown}>${bubble}${words}</g>`;
}

/** A line of the terminal at the height 0. Each piece is stretched to its columns, whatever font there is. */
function renderRow(runs: readonly Run[]): string {
  return runs.flatMap(renderRun).join("");
}

function renderRun({ column, text, color, background, bold, italic }: Run): string[] {
  const size = (words: string) => Number((Bun.stringWidth(words) * cell).toFixed(1));
  const x = Number((column * cell).toFixed(1));
  const back = background && `<rect x="${x}" width="${size(text)}" height="${lineHeight}" fill="${background}"/>`;
  const words = text.trim();
  const start = Number((x + size(text.slice(0, text.indexOf(words)))).toFixed(1));
  const weight = `${bold ? ' font-weight="bold"' : ""}${italic ? ' font-style="italic"' : ""}`;
  const place = `x="${start}" y="13.5" textLength="${size(words)}" lengthAdjust="spacingAndGlyphs"`;
  return [
    ...(back ? [back] : []),
    ...(words ? [`<text ${place} fill="${color}"${weight}>${escapeText(words)}</text>`] : []),
  ];
}

/** A text of an SVG. */
export function escapeText(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
