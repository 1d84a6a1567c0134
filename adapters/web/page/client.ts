import type { Choice } from "../../../src/text/dialect/dialect.ts";
import type { Update as News, Question } from "../conversations/updates.ts";

export type { Choice } from "../../../src/text/dialect/dialect.ts";
export type { Entry, Update as News } from "../conversations/updates.ts";

export interface Piece {
  readonly ref: string;
  html: string;
  choices?: readonly Choice[] | undefined;
}

export interface Turn extends Question {
  done: boolean;
  pieces: Piece[];
}

export interface Conversation {
  readonly title?: string;
  readonly persona?: string;
  readonly model?: string;
  readonly turns: Turn[];
  readonly position: string;
}

export interface Me {
  readonly user: string;
  readonly personas: readonly string[];
  readonly models: readonly string[];
  readonly currency: string;
}

export interface Session {
  readonly user?: string;
  readonly signIn?: "name" | "address" | "link";
  readonly names?: readonly string[];
}

export interface Cost {
  readonly day: string;
  readonly model: string;
  readonly turns: number;
  readonly input: number;
  readonly output: number;
  readonly cost?: number;
  readonly estimated: boolean;
}

/** Where the images of a question are. */
export function imagesOf(thread: string, { turn, images = 0 }: Turn): string[] {
  return Array.from({ length: images }, (_, index) => `api/conversations/${thread}/images/${turn}/${index}`);
}

/** Whether news came after a position; where that cannot be told they did. */
export function isAfter(news: string, position: string): boolean {
  const [run, number] = news.split("-");
  const [otherRun, otherNumber] = position.split("-");
  return run !== otherRun || Number(number) > Number(otherNumber);
}

/** What the server says when it has not done something. */
interface NotDone {
  readonly error?: string;
  /** Who is signed in, where the question is whether to switch to another account. */
  readonly user?: string;
  readonly other?: string;
}

/** The server has refused; the message is for people. Status 0: it could not be reached. */
export class Refused extends Error {
  readonly status: number;
  readonly answer: NotDone;

  constructor(status: number, message: string, answer: NotDone = {}) {
    super(message);
    this.status = status;
    this.answer = answer;
  }
}

let speaker: string | undefined;

/** The person that this page is for: once another tab has switched accounts the server does nothing that it asks for. */
export function speakAs(user: string): void {
  speaker = user;
}

/** Asks the server; all addresses are relative, as the page may stand anywhere. */
export async function call<Answer>(method: string, path: string, body?: object): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(`api/${path}`, {
      method,
      credentials: "same-origin",
      headers: {
        ...(speaker !== undefined && { "x-colloquy-user": encodeURIComponent(speaker) }),
        ...(body && { "content-type": "application/json" }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Refused(0, "");
  }
  if (response.status === 204) return undefined as Answer;
  const answer = (await response.json().catch(() => ({}))) as Answer & NotDone;
  if (!response.ok) throw new Refused(response.status, answer.error ?? response.statusText, answer);
  return answer;
}

export interface Following {
  news(news: News, position: string): void;
  /** Something may have been missed: everything is to be looked at anew. */
  gap(): void;
  /** Whether the server can be reached. */
  connected(is: boolean): void;
  /** One is not signed in any more. */
  signedOut(): void;
}

/** A stream whose beginning is not here after so long is held back on the way, in ms: then it is asked for instead. */
const HELLO_MS = 6_000;

/** The pause before another try, in ms. */
const PAUSE_MS = 1_500;

/** Follows what is new; returns how to end that. */
export function follow(following: Following): () => void {
  let source: EventSource | undefined;
  let last: string | undefined;
  let ended = false;
  let timer = 0;
  open();
  return () => {
    ended = true;
    clearTimeout(timer);
    source?.close();
  };

  function open(): void {
    if (ended) return;
    const after = last === undefined ? "" : `&after=${encodeURIComponent(last)}`;
    source = new EventSource(`api/events?as=${encodeURIComponent(speaker ?? "")}${after}`);
    timer = window.setTimeout(() => {
      source?.close();
      void poll();
    }, HELLO_MS);
    source.addEventListener("hello", (event) => {
      clearTimeout(timer);
      following.connected(true);
      if ((JSON.parse(event.data as string) as { gap: boolean }).gap) following.gap();
    });
    source.addEventListener("news", (event) => {
      last = event.lastEventId;
      following.news(JSON.parse(event.data as string) as News, last);
    });
    source.addEventListener("ended", () => {
      ended = true;
      source?.close();
      following.signedOut();
    });
    source.addEventListener("error", () => {
      following.connected(false);
      clearTimeout(timer);
      source?.close();
      timer = window.setTimeout(() => void reopen(), PAUSE_MS);
    });
  }

  /** A stream that is refused does not say why. */
  async function reopen(): Promise<void> {
    if (await isSignedOut()) return following.signedOut();
    open();
  }

  async function isSignedOut(): Promise<boolean> {
    return call<Session>("GET", "session").then(
      ({ user }) => user !== speaker,
      () => false,
    );
  }

  async function poll(): Promise<void> {
    while (!ended) {
      try {
        const after = last === undefined ? "" : `&after=${encodeURIComponent(last)}`;
        const answer = await call<{ gap: boolean; position: string; news: { id: string; news: News }[] }>(
          "GET",
          `events?wait=1${after}`,
        );
        following.connected(true);
        last = answer.position;
        if (answer.gap) following.gap();
        for (const { id, news } of answer.news) following.news(news, id);
      } catch (error) {
        if (error instanceof Refused && error.status === 401) return following.signedOut();
        following.connected(false);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }
}
