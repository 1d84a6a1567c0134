import type { Block } from "../block.ts";

/**
 * How a platform writes rich text, and how much fits in one message.
 *
 * Contract: `print` is pure, accepts any blocks and never throws. `fits(print([]))` is true. Any single character of
 * text fits in a message. Removing content from a body that fits never makes it too large.
 */
export interface Dialect<Body> {
  readonly limits: Limits;
  print(blocks: readonly Block[]): Body;
  fits(body: Body): boolean;
  /** How choices become buttons; without it they are shown as commands to type. */
  readonly buttons?: Buttons<Body>;
}

/** Buttons below a message. */
export interface Buttons<Body> {
  /** Whether a choice can be a button at this index. */
  fits(choice: Choice, index: number): boolean;
  /** Returns the body with buttons in this order; it fits if `body` does. */
  add(body: Body, choices: readonly Choice[]): Body;
}

/** A command with its argument that the user can choose by a button. */
export interface Choice {
  /** The text on the button. */
  readonly label: string;
  /** Without the slash. */
  readonly command: string;
  readonly text: string;
}

/** How much one message may hold; each dialect gives the sources of its figures. */
export interface Limits {
  /** The maximum length of one message, in `unit`; infinite if there is no limit. */
  readonly length: number;
  /** The maximum number of blocks in one message, if there is such a limit; more are never printed to be measured. */
  readonly blocks?: number;
  /** The unit in which the platform counts. */
  readonly unit: "utf16" | "code points" | "bytes" | "lines";
}
