/**
 * Rich text as data: what Markdown means, free of how any platform writes it.
 * A page may begin or end in the middle of a block; the part that goes on says so with `continues`.
 */
export type Block = Paragraph | Heading | Code | Quote | List | Table | Rule;

interface Part {
  /** This is the rest of a block whose beginning stands on the page before. */
  readonly continues?: true;
}

export interface Paragraph extends Part {
  readonly type: "paragraph";
  readonly spans: readonly Span[];
  /** This paragraph says where references lead to; the pager takes it away where they have become links. */
  readonly defines?: Definition;
}

/** `[label]: address`, or the text of a footnote. */
export interface Definition {
  /** As it is compared; that of a footnote begins with `^`. */
  readonly label: string;
  /** Empty for a footnote. */
  readonly href: string;
}

export interface Heading extends Part {
  readonly type: "heading";
  /** 1 to 6. */
  readonly level: number;
  readonly spans: readonly Span[];
}

export interface Code extends Part {
  readonly type: "code";
  /** The first word of the fence's info string; empty if there was none. */
  readonly language: string;
  /** Without a newline at the end. */
  readonly text: string;
}

export interface Quote extends Part {
  readonly type: "quote";
  readonly blocks: readonly Block[];
}

export interface List extends Part {
  readonly type: "list";
  /** The number of the first item here; undefined for a bulleted list. */
  readonly start?: number;
  readonly items: readonly ListItem[];
}

export interface ListItem extends Part {
  /** Of a task list: done or not. */
  readonly checked?: boolean;
  readonly blocks: readonly Block[];
}

export interface Table extends Part {
  readonly type: "table";
  readonly align: readonly ("left" | "center" | "right" | undefined)[];
  readonly head: readonly Cell[];
  /** The last cells of a row may be missing: they are empty. */
  readonly rows: readonly (readonly Cell[])[];
  /**
   * How wide the head and the first row are in a monospaced font, by column; taken from the rows that are here
   * if missing. With it all pages of a table get one form, whatever part of it they hold.
   */
  readonly widths?: readonly number[];
}

export type Cell = readonly Span[];

export interface Rule extends Part {
  readonly type: "rule";
}

/** A run of text in one style. A hard line break is "\n"; a soft one in a paragraph is "\n" too. */
export interface Span {
  readonly text: string;
  readonly styles?: readonly Style[];
  /** Where the text links to; any string, checked by the dialect. */
  readonly href?: string;
  /**
   * A whole formula in LaTeX, without its dollars, for dialects that draw formulas; `text` is how it reads
   * where they are not drawn. A paragraph of nothing but one such span is a displayed formula.
   */
  readonly tex?: string;
  /** A link whose address may be defined elsewhere: the label. Only the pager reads it; no dialect sees it. */
  readonly ref?: string;
  /** Brackets of such a link: they are shown only if nothing defines it. */
  readonly bracket?: true;
  /**
   * This says where the link before it leads, as the text of that looks as if it led elsewhere. It is not shown where
   * the link's whole address is.
   */
  readonly destination?: true;
}

export type Style = "bold" | "italic" | "strike" | "code" | "spoiler";
