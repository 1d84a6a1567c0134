/** What the page and the server tell each other; types only, as both sides load it. */

/** The windows that the server draws; the web chat draws itself. */
export type WindowName = "telegram" | "discord" | "dingtalk" | "terminal";

/** Everyone who writes in the windows. */
export type Person = "Ann" | "Bob";

/** Formatted text: what the page makes elements of, one kind of element for each kind. */
export type Shape = string | Piece;

/** A piece of formatted text. */
export interface Piece {
  readonly is: Kind;
  readonly of: readonly Shape[];
  /** Of a link; only http and https. */
  readonly href?: string;
  /** Of a numbered list, its first number; of code, its language. */
  readonly note?: string;
}

/** All kinds of pieces. */
export type Kind =
  | "bold"
  | "italic"
  | "underline"
  | "strike"
  | "dim"
  | "inverse"
  | "cyan"
  | "code"
  | "pre"
  | "spoiler"
  | "quote"
  | "mention"
  | "small"
  | "h1"
  | "h2"
  | "h3"
  | "paragraph"
  | "list"
  | "numbers"
  | "item"
  | "table"
  | "row"
  | "head"
  | "cell"
  | "link"
  | "rule";

/** A message, or what stands in the place of one, as a person sees it. */
export interface Line {
  /** The same as long as it is the same message. */
  readonly id: string;
  /** "me", "bot", or the bot's draft that is no message yet. */
  readonly from: "me" | "bot" | "draft";
  readonly title?: string;
  readonly shapes: readonly Shape[];
  /** How often it was changed. */
  readonly edits?: number;
  readonly buttons?: readonly string[];
  readonly files?: readonly { readonly name: string; readonly text: string }[];
  /** Instead of words: the bot is thinking, or has not responded; below them: there is more to come. */
  readonly state?: "thinking" | "unanswered" | "growing";
}

/** A command that the window completes. */
export interface CommandName {
  readonly name: string;
  readonly description: string;
}

/** What one person sees in one window. A line that has not changed since the last frame is only its id. */
export interface Frame {
  readonly type: "frame";
  readonly window: WindowName;
  readonly person: Person;
  readonly lines: readonly (Line | string)[];
  readonly typing: boolean;
  readonly commands: readonly CommandName[];
}

/** How the worker and the controls stand. */
export interface State {
  readonly type: "state";
  readonly worker: "starting" | "ready" | "down";
  /** What it has died of, if that was not wished. */
  readonly trouble?: string;
  /** Answers of the demo model, or of the service that is configured. */
  readonly model: "demo" | "real";
  /** Whether a service is configured; it is asked only when somebody wants that, as it costs money. */
  readonly canBeReal: boolean;
  readonly slow: boolean;
  readonly refusing: boolean;
}

/** The way of the last message so far. */
export interface Journey {
  readonly type: "journey";
  readonly event: string;
  readonly stations: readonly Station[];
}

/** A step, or several of the same in a row. */
export interface Station {
  /** As in src/telemetry/stages.ts, or "killed" and "ready" of the worker. */
  readonly step: string;
  /** After the first one, in ms. */
  readonly after: number;
  readonly times: number;
}

/** What the server tells. */
export type News = Frame | State | Journey;

/** What the page asks for. */
export type Wish =
  | { readonly do: "say"; readonly window: WindowName; readonly person: Person; readonly text: string }
  | { readonly do: "press"; readonly window: WindowName; readonly person: Person; readonly button: string }
  | { readonly do: "stop"; readonly window: WindowName; readonly person: Person }
  | { readonly do: "key"; readonly person: Person; readonly key: string }
  | { readonly do: "slow" | "refuse" | "real"; readonly on: boolean }
  | { readonly do: "kill" | "drop" | "flood" };
