/** A piece of a line of a terminal in one style. */
export interface Run {
  column: number;
  text: string;
  color: string;
  background: string | null;
  bold: boolean;
  italic: boolean;
}

/** The colours of a terminal that names none. */
export const paper = "#12161c";
const ink = "#d6d9de";

const basic = ["#1d2229", "#f07178", "#8fce74", "#e6c067", "#6cb0f3", "#cf8ef4", "#56c7d6", "#c8ccd4"];
const bright = ["#7f8896", "#ff8f95", "#abe38f", "#f7d98a", "#92c8ff", "#e0aeff", "#7fe0ec", "#ffffff"];

/** The runs of each line of what `tmux capture-pane -e -p` prints. Its escape sequences all are of colours and weights. */
export function parseScreen(screen: string): Run[][] {
  const style = plainStyle();
  return screen
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => parseLine(line, style));
}

type Style = ReturnType<typeof plainStyle>;

function plainStyle() {
  return {
    color: null as string | null,
    background: null as string | null,
    bold: false,
    dim: false,
    italic: false,
    inverse: false,
  };
}

function parseLine(line: string, style: Style): Run[] {
  const runs: Run[] = [];
  let column = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is how escape sequences begin
  for (const part of line.split(/(\u001b\[[\d;]*m)/)) {
    if (part.startsWith("\u001b")) {
      apply(style, part.slice(2, -1).split(";").map(Number));
      continue;
    }
    const [front, back] = [style.color ?? (style.dim ? (bright[0] ?? ink) : ink), style.background];
    const [color, background] = style.inverse ? [back ?? paper, front] : [front, back];
    const { bold, italic } = style;
    if (part !== "") runs.push({ column, text: part, color, background, bold, italic });
    column += Bun.stringWidth(part);
  }
  return runs;
}

function apply(style: Style, codes: number[]): void {
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] ?? 0;
    if (code === 0) Object.assign(style, plainStyle());
    else if (code === 1) style.bold = true;
    else if (code === 2) style.dim = true;
    else if (code === 3) style.italic = true;
    else if (code === 7) style.inverse = true;
    else if (code === 22) Object.assign(style, { bold: false, dim: false });
    else if (code === 23) style.italic = false;
    else if (code === 27) style.inverse = false;
    else if (code === 38 || code === 48) {
      const isTrue = codes[at + 1] === 2;
      const color = isTrue ? hex(codes.slice(at + 2, at + 5)) : indexed(codes[at + 2] ?? 0);
      style[code === 38 ? "color" : "background"] = color;
      at += isTrue ? 4 : 2;
    } else if (code === 39) style.color = null;
    else if (code === 49) style.background = null;
    else if (code >= 30 && code <= 37) style.color = basic[code - 30] ?? null;
    else if (code >= 90 && code <= 97) style.color = bright[code - 90] ?? null;
  }
}

/** A colour of xterm's 256. */
function indexed(index: number): string {
  const level = (step: number) => (step === 0 ? 0 : 55 + 40 * step);
  if (index < 16) return [...basic, ...bright][index] ?? ink;
  if (index >= 232) return hex(Array(3).fill(8 + 10 * (index - 232)));
  const cube = index - 16;
  return hex([Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(level));
}

function hex(levels: number[]): string {
  return `#${levels.map((level) => level.toString(16).padStart(2, "0")).join("")}`;
}
