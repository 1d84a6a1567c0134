import type { Block } from "../block.ts";

/**
 * How a platform writes rich text, and what fits in one message.
 *
 * Contract: `print` is pure, accepts any blocks and never throws; `fits(print([]))` holds; for any single
 * character of text there is a body that fits; taking content away never makes a body unfit.
 */
export interface Dialect<Body> {
  readonly limits: Limits;
  print(blocks: readonly Block[]): Body;
  fits(body: Body): boolean;
  /** How choices become buttons; without it they are commands to be written. */
  readonly buttons?: Buttons<Body>;
}

/** Buttons below a message. */
export interface Buttons<Body> {
  /** Whether a choice can be a button, as the one at `index` among those that are. */
  fits(choice: Choice, index: number): boolean;
  /** The body with buttons, in this order; it fits if `body` does. */
  add(body: Body, choices: readonly Choice[]): Body;
}

/** A command with its argument that a person may give by a button. */
export interface Choice {
  /** What stands on the button. */
  readonly label: string;
  /** Without the slash. */
  readonly command: string;
  readonly text: string;
}

/** What one message may hold; the source of each figure stands beside it in the dialect. */
export interface Limits {
  /** The most text in one message, in `unit`; infinite where messages have any length. */
  readonly length: number;
  /** The most blocks in one message, if there is such a limit: what has more need not be printed to be measured. */
  readonly blocks?: number;
  /** What the platform counts. */
  readonly unit: "utf16" | "code points" | "bytes" | "lines";
}
