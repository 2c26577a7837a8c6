/** A protocol by which a terminal draws pictures. */
export type Graphics = "kitty" | "iterm2";

/** The protocol of the terminal that these variables tell of; `null` if relay knows none. */
export function readGraphics({ TMUX, STY, TERM, TERM_PROGRAM }: Record<string, string | undefined>): Graphics | null {
  if (TMUX || STY) return null; // they pass neither protocol on
  if (TERM === "xterm-kitty" || TERM === "xterm-ghostty") return "kitty";
  return TERM_PROGRAM === "iTerm.app" || TERM_PROGRAM === "WezTerm" ? "iterm2" : null;
}
