/**
 * Rich text as data: the meaning of Markdown, independent of the markup of any platform.
 * A page may begin or end in the middle of a block; the part on the next page is marked with `continues`.
 */
export type Block = Paragraph | Heading | Code | Quote | List | Table | Rule;

interface Part {
  /** This is the rest of a block that began on the page before. */
  readonly continues?: true;
}

export interface Paragraph extends Part {
  readonly type: "paragraph";
  readonly spans: readonly Span[];
  /** What this paragraph defines. The pager removes the paragraph once the references to it have become links. */
  readonly defines?: Definition;
}

/** A link definition, `[label]: address`, or the text of a footnote. */
export interface Definition {
  /** Normalized for comparison; the label of a footnote begins with `^`. */
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
  /** The first word of the fence's info string; empty if there is none. */
  readonly language: string;
  /** Without a trailing newline. */
  readonly text: string;
}

export interface Quote extends Part {
  readonly type: "quote";
  readonly blocks: readonly Block[];
}

export interface List extends Part {
  readonly type: "list";
  /** The number of the first item on this page; undefined for a bulleted list. */
  readonly start?: number;
  readonly items: readonly ListItem[];
}

export interface ListItem extends Part {
  /** Whether the task is done; undefined for an item that is no task. */
  readonly checked?: boolean;
  readonly blocks: readonly Block[];
}

export interface Table extends Part {
  readonly type: "table";
  readonly align: readonly ("left" | "center" | "right" | undefined)[];
  readonly head: readonly Cell[];
  /** A row may have fewer cells than the head; the missing ones are empty. */
  readonly rows: readonly (readonly Cell[])[];
  /**
   * The width of each column in a monospaced font, measured on the head and the first row of the whole table; if
   * missing, the rows of this page are measured. It gives every page of a table the same form.
   */
  readonly widths?: readonly number[];
}

export type Cell = readonly Span[];

export interface Rule extends Part {
  readonly type: "rule";
}

/** A run of text in one style. Line breaks, hard and soft, are "\n". */
export interface Span {
  readonly text: string;
  readonly styles?: readonly Style[];
  /** The link target; any string. The dialect checks it. */
  readonly href?: string;
  /**
   * A whole formula in LaTeX, without delimiters, for dialects that draw formulas; `text` is its plain-text form
   * for all others. A paragraph that consists of one such span is a displayed formula.
   */
  readonly tex?: string;
  /**
   * The label of a reference link, whose address may be defined elsewhere. The pager resolves it; no dialect sees it.
   */
  readonly ref?: string;
  /** This span is a bracket of a reference link, shown only if the label is not defined. */
  readonly bracket?: true;
  /**
   * This span names the host of the link before it, because the text of that link names another one. It is left out
   * where the whole address is written out.
   */
  readonly destination?: true;
}

export type Style = "bold" | "italic" | "strike" | "code" | "spoiler";
