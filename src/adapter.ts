import type { Address, ChatEvent, ChatKind } from "./event.ts";
import type { Dialect } from "./text/dialect/dialect.ts";

/**
 * One chat platform. Six members are required; every other one is a capability, and a platform that lacks it leaves it
 * out.
 *
 * `Body` is JSON, and equal bodies look the same. Sending works whether or not `start()` was called. Every method that
 * talks to the platform rejects with a `PlatformError` if the platform refuses or cannot be reached, and never repeats on
 * its own what may have been delivered.
 */
export interface Adapter<Body = unknown> {
  /** The platform's name, as it stands in event ids and conversation keys. */
  readonly name: string;
  readonly dialect: Dialect<Body>;
  readonly pace: Pace;
  /**
   * Begins to receive. Resolves once connected, and keeps trying while the platform is unreachable; rejects with a
   * `ConfigError` if the platform refuses the credentials.
   *
   * `receive` resolves once the event is stored: acknowledge it then, not before, and not at all if it rejects. `menu`
   * is what the platform's menu of commands should show. `partition` is one of `cluster.partitions()`; without it
   * everything is received.
   */
  start(receive: Receive, menu: readonly CommandEntry[], partition?: string): Promise<void>;
  /**
   * Stops receiving and closes connections. Sending still works, and so does another `start()`. May be called twice, and
   * before `start()`. With `partition`, only that one stops.
   */
  stop(partition?: string): Promise<void>;
  /**
   * Posts a message and returns its reference. `key` is the same for every attempt: a platform that knows idempotency
   * keys returns the first message to the second attempt.
   */
  send(to: Address, body: Body, key: string): Promise<string>;

  /** Replaces a message; replacing it with what it already shows is no error. */
  edit?(to: Address, ref: string, body: Body): Promise<void>;
  /** Deletes a message; one that is gone already is no error. */
  remove?(to: Address, ref: string): Promise<void>;
  /** Shows for a few seconds that an answer is on its way. */
  typing?(to: Address): Promise<void>;
  /**
   * Shows a growing page without posting it: nothing of it stays, and `send` in the same chat takes it away. `key` names
   * the page; what is shown under the same key changes. Not called again before it has settled. A permanent rejection
   * means that there are no drafts here: growing pages are then posted and edited.
   */
  draft?(to: Address, key: string, body: Body): Promise<void>;
  /**
   * Called once the whole answer is posted, or once it is known that there is none, with its messages and what they show;
   * for platforms that close an answer. Called again if it rejects, or if the process dies meanwhile.
   */
  finish?(to: Address, shown: readonly { readonly ref: string; readonly body: Body }[]): Promise<void>;
  /** Why the platform is not receiving right now, as a sentence for the operator; undefined if it is. */
  health?(): string | undefined;
  /**
   * Nothing of an answer is shown before all of it is known and recorded: messages here can be neither changed nor
   * deleted, so a second run would repeat what the first has shown. Only without `edit` and `draft`.
   */
  readonly wholeOnly?: true;

  /** What is known of messages after a crash. */
  readonly recovery?: Recovery<Body>;
  /** Files and images, in and out. */
  readonly files?: Files;
  /** Requests over HTTP, such as a webhook's. */
  readonly http?: HttpEndpoint;
  /** How several processes run the same bot together. */
  readonly cluster?: Cluster;
}

/** Finds out what became of messages of an earlier run. */
export interface Recovery<Body> {
  /**
   * Looks for a message that an attempt of unknown outcome may have left: one of the bot's own in this chat, newer than
   * all of `after` (references, as far as they are known) and than the question. If there is one, it shows `body` from
   * then on; returns its reference. `key` is that of the attempt. Without this method such an attempt is simply repeated.
   */
  find?(to: Address, body: Body, after: readonly string[], key: string): Promise<string | undefined>;
  /** A reference, not necessarily of the bot's own, such that whatever is sent from now on is newer; for `find`. */
  newest?(to: Address): string | undefined;
  /** Whether the person can still see a message that an earlier attempt has recorded; without this method, they can. */
  isVisible?(ref: string): boolean;
}

/** Files and images of a platform. */
export interface Files {
  /**
   * How many pages of an answer become messages here; if there are more, a message with the whole answer as a file follows
   * them. Always the same for one address; asked only where there is `send`.
   */
  maxPages?(to: Address): number;
  /** Posts a message with a file and returns its reference; `key` as for `Adapter.send`. */
  send?(to: Address, file: AnswerFile, key: string): Promise<string>;
  /**
   * An image that was received, by the `ref` of its attachment, as a `data:` URL of a PNG, JPEG, GIF or WebP; undefined if
   * it is gone. Asked again with each question as long as the image belongs to the conversation, in whichever process
   * answers. If it rejects, the image is left out.
   */
  image?(ref: string): Promise<string | undefined>;
}

/** Where an adapter takes requests; the program's one HTTP server calls it, an adapter never opens a port. */
export interface HttpEndpoint {
  /** The path below which requests are handled; `/webhooks/<name>` alone if absent. */
  readonly mount?: string;
  /** Handles a request to `mount`. */
  fetch(request: Request, from?: RequestFrom): Promise<Response>;
}

/** What several processes of the same bot share out, and tell one another. */
export interface Cluster {
  /**
   * The names of what only one process may receive at a time, such as a poll; they name the bot too. Each can be started
   * by itself, in any process. Without this method any number of processes may receive at the same time. Rejects like
   * `Adapter.start`.
   */
  partitions?(): Promise<readonly string[]>;
  /** The newest message that any process has seen, so that `recovery.newest` is the newest of all. */
  readonly highWaterMark?: HighWaterMark;
  /** For platforms of our own: messages between the processes. */
  readonly pubSub?: PubSub;
}

/** How far a process has seen; marks only rise. */
export interface HighWaterMark {
  /** That of this process; undefined if it has seen nothing. */
  get(): string | undefined;
  /** Takes in that of another process. */
  raise(mark: string): void;
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

/** Messages between the processes of the same bot. */
export interface PubSub {
  /** Called if there are other processes: `publish` sends a short message to all of them. */
  connect(publish: (message: object) => Promise<void>): void;
  /** Takes in a message of another process. */
  receive(message: unknown): void;
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
