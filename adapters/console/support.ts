/** The environment and the terminal of the program. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isTTY: boolean | undefined;
}

/**
 * Whether to write colours and styles. `FORCE_COLOR` decides if it is set, even in a pipe (0 and "false" mean no), then
 * `NO_COLOR` with any value (no-color.org), then whether the output is a terminal that supports them.
 */
export function useColor({ env, isTTY }: Surroundings): boolean {
  const { FORCE_COLOR, NO_COLOR, TERM } = env;
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  return isTTY === true && !NO_COLOR && TERM !== "dumb";
}

/** The terminals that support links, by their TERM_PROGRAM or TERM. */
const PROGRAMS = ["iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "rio"];
const TERMS = ["xterm-kitty", "xterm-ghostty", "alacritty", "foot", "contour", "wezterm"];

/** The first safe version of VTE, the library of many Linux terminals: before 0.50.1, links could crash it. */
const FIRST_VTE = 5001;

/**
 * Whether the terminal supports links behind text (OSC 8). A terminal cannot be queried for that, so this is a list of
 * terminals known to support them. A multiplexer such as tmux sets its own TERM and TERM_PROGRAM, and may not forward
 * links.
 */
export function showsLinks({ env, isTTY }: Surroundings): boolean {
  const { TERM = "", TERM_PROGRAM = "", VTE_VERSION, WT_SESSION, KONSOLE_VERSION, TMUX } = env;
  if (!isTTY || TMUX || TERM === "dumb" || TERM.startsWith("screen")) return false;
  if (PROGRAMS.includes(TERM_PROGRAM) || TERMS.includes(TERM)) return true;
  return Number(VTE_VERSION) >= FIRST_VTE || Boolean(WT_SESSION) || Boolean(KONSOLE_VERSION);
}
