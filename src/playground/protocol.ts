/** The messages between the page and the server. Types only, because both sides import this file. */

/** The windows that the server describes; the web chat is a page of its own. */
export type WindowName = "telegram" | "discord" | "dingtalk" | "terminal";

/** The simulated users. */
export type Person = "Ann" | "Bob";

/** Formatted text as plain data, from which the page makes elements. */
export type Shape = string | Styled;

/** Text of one kind; the page has one kind of element for each. */
export interface Styled {
  readonly is: Kind;
  readonly of: readonly Shape[];
  /** The address of a link; only http and https. */
  readonly href?: string;
  /** The first number of a numbered list, or the language of code. */
  readonly note?: string;
}

/** All kinds of formatted text. */
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

/** A message or a placeholder for one, as a user sees it. */
export interface Line {
  /** Identifies the message for as long as it is shown. */
  readonly id: string;
  /** "draft" is a draft of the bot, which is not a message yet. */
  readonly from: "me" | "bot" | "draft";
  readonly title?: string;
  readonly shapes: readonly Shape[];
  /** How often the message was edited. */
  readonly edits?: number;
  readonly buttons?: readonly string[];
  readonly files?: readonly { readonly name: string; readonly text: string }[];
  /** Shown instead of text: the bot is thinking, or has not responded. Shown below text: the answer is still growing. */
  readonly state?: "thinking" | "unanswered" | "growing";
}

/** A command that the window can complete. */
export interface CommandName {
  readonly name: string;
  readonly description: string;
}

/** What one user sees in one window. A line that has not changed since the last frame is represented by its id. */
export interface Frame {
  readonly type: "frame";
  readonly window: WindowName;
  readonly person: Person;
  readonly lines: readonly (Line | string)[];
  readonly typing: boolean;
  readonly commands: readonly CommandName[];
}

/** The state of the worker and of the controls. */
export interface State {
  readonly type: "state";
  readonly worker: "starting" | "ready" | "down";
  /** Why the worker ended, if it was not killed on request. */
  readonly trouble?: string;
  /** Which model answers: the demo model, or the configured service. */
  readonly model: "demo" | "real";
  /** Whether a service is configured. It is used only on request, because it costs money. */
  readonly canBeReal: boolean;
  readonly slow: boolean;
  readonly refusing: boolean;
}

/** The stages that the last message has reached so far. */
export interface Journey {
  readonly type: "journey";
  readonly event: string;
  readonly stages: readonly JourneyStage[];
}

/** A stage, or several equal ones in a row. */
export interface JourneyStage {
  /** A stage of src/telemetry/stages.ts, or "killed" or "ready" for the worker. */
  readonly stage: string;
  /** The time since the message was sent, in ms. */
  readonly after: number;
  readonly times: number;
}

/** What the server sends to the page. */
export type News = Frame | State | Journey;

/** What the page requests from the server. */
export type Wish =
  | { readonly do: "say"; readonly window: WindowName; readonly person: Person; readonly text: string }
  | { readonly do: "press"; readonly window: WindowName; readonly person: Person; readonly button: string }
  | { readonly do: "stop"; readonly window: WindowName; readonly person: Person }
  | { readonly do: "key"; readonly person: Person; readonly key: string }
  | { readonly do: "slow" | "refuse" | "real"; readonly on: boolean }
  | { readonly do: "kill" | "drop" | "flood" };
