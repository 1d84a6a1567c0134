import type { Choice } from "../../../src/text/dialect/dialect.ts";
import type { Question } from "../conversations/updates.ts";

export type { Choice } from "../../../src/text/dialect/dialect.ts";
export type { ThreadEntry, Update } from "../conversations/updates.ts";

export interface AnswerPart {
  readonly ref: string;
  html: string;
  choices?: readonly Choice[] | undefined;
}

export interface Turn extends Question {
  done: boolean;
  pieces: AnswerPart[];
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

/** The fields of an error response. */
interface Failure {
  readonly error?: string;
  /** Who is signed in, if the server asks whether to switch to another account. */
  readonly user?: string;
  readonly other?: string;
}

/** The server refused a request. The message is for users. Status 0: the server could not be reached. */
export class Refused extends Error {
  readonly status: number;
  readonly answer: Failure;

  constructor(status: number, message: string, answer: Failure = {}) {
    super(message);
    this.status = status;
    this.answer = answer;
  }
}

let user: string | undefined;

/** Sets the user that this page belongs to. If another tab switches accounts, the server refuses the page's requests. */
export function setUser(name: string): void {
  user = name;
}

export function currentUser(): string | undefined {
  return user;
}

/** Sends a request to the API and resolves with its JSON. The address is relative: the page may be served under any path. */
export async function call<Answer>(method: string, path: string, body?: object): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(`api/${path}`, {
      method,
      credentials: "same-origin",
      headers: {
        ...(user !== undefined && { "x-colloquy-user": encodeURIComponent(user) }),
        ...(body && { "content-type": "application/json" }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Refused(0, "");
  }
  if (response.status === 204) return undefined as Answer;
  const answer = (await response.json().catch(() => ({}))) as Answer & Failure;
  if (!response.ok) throw new Refused(response.status, answer.error ?? response.statusText, answer);
  return answer;
}

/** The addresses of a question's images. */
export function imagesOf(thread: string, { turn, images = 0 }: Turn): string[] {
  return Array.from({ length: images }, (_, index) => `api/conversations/${thread}/images/${turn}/${index}`);
}
