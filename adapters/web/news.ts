import type { Choice } from "../../src/text/dialect.ts";

/** One of a person's conversations, as lists show it. */
export interface Entry {
  readonly thread: string;
  /** The name that it was given, else its first words. */
  readonly title: string;
  /** When something was last asked, in ms since the epoch. */
  readonly at: number;
}

/** What was asked. */
export interface Question {
  /** When, and which: questions of a conversation are in the order of these. */
  readonly turn: string;
  readonly text: string;
  /** So many images were sent with it. */
  readonly images?: number | undefined;
  /** In ms since the epoch. */
  readonly at: number;
}

/** A piece of an answer. */
export interface Piece {
  readonly ref: string;
  readonly html: string;
  /** Commands that the person may give by a button. */
  readonly choices?: readonly Choice[];
}

/** A question with what there is of its answer. */
export interface Turn extends Question {
  readonly pieces: readonly Piece[];
  /** Whether no more comes. */
  readonly done: boolean;
}

/** Something that has changed on what a person sees. */
export type News =
  | ({ readonly kind: "asked"; readonly thread: string } & Question)
  /** A piece of an answer now is the first `keep` of its `of` UTF-16 units, and `add`. */
  | {
      readonly kind: "shown";
      readonly thread: string;
      readonly turn: string;
      readonly ref: string;
      readonly keep: number;
      readonly of: number;
      readonly add: string;
      readonly choices?: readonly Choice[];
    }
  | { readonly kind: "removed"; readonly thread: string; readonly turn: string; readonly ref: string }
  /** For programs, which want Markdown: what follows the first `at` UTF-16 units of an answer. */
  | {
      readonly kind: "raw";
      readonly thread: string;
      readonly turn: string;
      readonly at: number;
      readonly add: string;
    }
  | { readonly kind: "done"; readonly thread: string; readonly turn: string }
  /** What was asked from this turn on is forgotten. */
  | { readonly kind: "rewound"; readonly thread: string; readonly turn: string }
  | ({ readonly kind: "listed" } & Entry)
  | { readonly kind: "deleted"; readonly thread: string };
