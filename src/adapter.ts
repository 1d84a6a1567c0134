import type { Address, ChatEvent, ChatKind } from "./event.ts";
import type { Dialect } from "./text/dialect/dialect.ts";

/**
 * One platform. A capability is a method that is present.
 *
 * Contract: `Body` is JSON; equal bodies look the same. Sending works whether or not `start()` was called.
 * Every method that talks to the platform rejects with a `PlatformError` (see its fields) when the platform
 * refuses or cannot be reached, and never retries by itself what may have been delivered.
 */
export interface Adapter<Body = unknown> {
  /** The platform's name, as in event ids and conversation keys. */
  readonly name: string;
  readonly dialect: Dialect<Body>;
  readonly pace: Pace;
  /**
   * Nothing of an answer is shown before all of it is known and recorded: what a run that died has shown could be
   * neither changed nor taken back here, and another run would say it again. Only without `edit` and `draft`.
   */
  readonly wholeOnly?: true;
  /**
   * Begins to receive; resolves once connected, and keeps trying while the platform is unreachable.
   * `receive` resolves once the event is stored: acknowledge then, not before; if it rejects, do not
   * acknowledge. `menu` is what the platform's menu of commands should show. Rejects with a `ConfigError`
   * if the platform refuses the credentials.
   */
  start(receive: Receive, menu: readonly CommandEntry[], part?: string): Promise<void>;
  /**
   * Stops receiving and lets go of connections; sending still works, and so does another `start()`. Safe to call
   * twice and before `start()`. Of several parts that were started, only `part` if it is given.
   */
  stop(part?: string): Promise<void>;
  /**
   * What of the receiving only one process may do at a time, such as to poll: the names of its parts, each of which
   * can be started by itself, in whichever process; they name the bot too. `start()` without a part starts them all.
   * Without this method any number of processes may receive at the same time. Rejects like `start()`.
   */
  partitions?(): Promise<readonly string[]>;
  /** Why the platform is not receiving right now, as a sentence for the operator; undefined if it is. */
  health?(): string | undefined;
  /**
   * Posts a message and returns its reference. `key` is the same on every attempt: a platform that knows
   * idempotency uses it so that the second attempt returns the first message.
   */
  send(to: Address, body: Body, key: string): Promise<string>;
  /**
   * Looks for a message that an attempt of unknown outcome may have left: the bot's own in this chat, newer
   * than all of `after` (references, as far as they are known) and than the question. If there is one it shows
   * `body` from then on; returns its reference. `key` is that of the attempt. Without this method such an attempt is
   * simply repeated.
   */
  recover?(to: Address, body: Body, after: readonly string[], key: string): Promise<string | undefined>;
  /** A reference, not necessarily of the bot's own, such that what is sent from now on is newer; for `recover`. */
  newest?(to: Address): string | undefined;
  /**
   * How far this process has seen, for other processes of the same bot, and what those have seen: so that `newest`
   * is the newest of all, whoever has received or sent it.
   */
  readonly sight?: { tell(): string | undefined; hear(told: string): void };
  /**
   * Shows a growing page without posting it: nothing stays of it, and `send` in the same chat takes it away.
   * `key` is that of the page; what is shown under the same key changes. Not called again before it has settled.
   * A permanent rejection says that there are no drafts here: growing pages are posted and edited then.
   */
  draft?(to: Address, key: string, body: Body): Promise<void>;
  /**
   * Whether a message that an earlier attempt has recorded still stands where the person looks; without this
   * method it does. One that does not is sent anew.
   */
  isVisible?(ref: string): boolean;
  /** Replaces a message; replacing it with what it already shows is no error. */
  edit?(to: Address, ref: string, body: Body): Promise<void>;
  /** Takes a message away; one that is gone already is no error. */
  remove?(to: Address, ref: string): Promise<void>;
  /**
   * So many pages of an answer become messages here; if there are more, one message with the whole answer as a
   * file follows them. Always the same for one address; asked only where there is `sendFile`.
   */
  maxPages?(to: Address): number;
  /** Posts a message with a file and returns its reference; `key` as for `send`. */
  sendFile?(to: Address, file: AnswerFile, key: string): Promise<string>;
  /** Shows that an answer is on its way for a few seconds. */
  typing?(to: Address): Promise<void>;
  /**
   * Called once the whole answer stands, or that there is none, with its messages and what they show; for platforms
   * that close an answer. Called again if it rejects, or the program has died meanwhile.
   */
  finish?(to: Address, shown: readonly { readonly ref: string; readonly body: Body }[]): Promise<void>;
  /**
   * An image that was sent, by the `ref` of its attachment, as a `data:` URL of a PNG, JPEG, GIF or WebP; undefined if it
   * is not there any more. Asked again with each question as long as the image is part of the conversation, in whichever
   * process answers. May reject: then the image is left out.
   */
  image?(ref: string): Promise<string | undefined>;
  /** Handles a request to `mount`; the one HTTP server calls it, an adapter never opens a port. */
  fetch?(request: Request, from?: RequestFrom): Promise<Response>;
  /** The path below which requests are for `fetch`; `/webhooks/<name>` alone if absent. */
  readonly mount?: string;
  /** For platforms of our own: what processes of the same bot tell one another. */
  readonly peers?: Peers;
}

/** Where a request comes from. */
export interface RequestFrom {
  /** The address of the client, such as 203.0.113.7; a trusted proxy's word for it where the request came through one. */
  readonly address?: string | undefined;
  /**
   * Whether the request carries the token that only the operator at this machine knows, as it stands in the address
   * that the program prints. Absent where the HTTP port is open to others, and nothing counts as local.
   */
  readonly local?: boolean;
}

/** The other processes of the same bot. */
export interface Peers {
  /** Called where there are others: `tell` tells them, of short things only. */
  connect(tell: (what: object) => Promise<void>): void;
  /** What another has told. */
  hear(what: unknown): void;
}

/** The least time between two writes in one chat, by its kind, in ms; a few may follow at once where that was kept before. */
export interface Pace extends Readonly<Record<ChatKind, number>> {
  /** The least time between two writes in all chats together; 0 if absent. */
  readonly overall?: number;
  /** The least time between two drafts, in ms; that of the chat if absent. */
  readonly draft?: number;
  /** After this time a draft is shown again though nothing has changed, before it vanishes, in ms. */
  readonly redraft?: number;
}

/** A whole answer as a file. */
export interface AnswerFile {
  /** Such as "answer.md". */
  readonly name: string;
  /** Of any size: where the platform takes no file that large, the adapter cuts it into several. */
  readonly content: string;
  /** What the message itself says, as plain text. */
  readonly note: string;
}

/**
 * Takes an event in; resolves once it is stored, or its person will be told that it was too much. Rejects if it could
 * not be stored, with an `Overflow` if too much waits already: then it must come again, or the person be told at once.
 */
export type Receive = (event: ChatEvent) => Promise<void>;

/** A command as the platform's menu shows it. */
export interface CommandEntry {
  readonly name: string;
  /** By language: "en" is always there. */
  readonly description: Readonly<Record<string, string>>;
  /** The one free-text argument, if the command takes one, by language. */
  readonly argument?: Readonly<Record<string, string>>;
  /** The values that the argument may have, if it is not free; it may then be left out. */
  readonly choices?: readonly string[];
}
