/** What the environment and the terminal say of each other. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isTTY: boolean | undefined;
}

/**
 * Whether to write colours and styles. `FORCE_COLOR` decides where it is set (0 and "false" are no), also in a
 * pipe; then `NO_COLOR`, whatever it holds (no-color.org); then whether this is a terminal that knows any.
 */
export function useColor({ env, isTTY }: Surroundings): boolean {
  const { FORCE_COLOR, NO_COLOR, TERM } = env;
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  return isTTY === true && !NO_COLOR && TERM !== "dumb";
}

/** Terminals by what they put into TERM_PROGRAM or TERM. */
const PROGRAMS = ["iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "rio"];
const TERMS = ["xterm-kitty", "xterm-ghostty", "alacritty", "foot", "contour", "wezterm"];

/** VTE, which many terminals of Linux are made of, shows links since 0.50; before, they could crash it. */
const FIRST_VTE = 5001;

/**
 * Whether the terminal shows links that stand behind a text (OSC 8). None can be asked; these are known to.
 * What sits between, such as tmux, sets TERM and TERM_PROGRAM itself, and is not trusted to pass links on.
 */
export function showsLinks({ env, isTTY }: Surroundings): boolean {
  const { TERM = "", TERM_PROGRAM = "", VTE_VERSION, WT_SESSION, KONSOLE_VERSION, TMUX } = env;
  if (!isTTY || TMUX || TERM === "dumb" || TERM.startsWith("screen")) return false;
  if (PROGRAMS.includes(TERM_PROGRAM) || TERMS.includes(TERM)) return true;
  return Number(VTE_VERSION) >= FIRST_VTE || Boolean(WT_SESSION) || Boolean(KONSOLE_VERSION);
}
