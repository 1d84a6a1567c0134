import type { z } from "zod";
import type { RequestFrom } from "../../../src/adapter.ts";

/**
 * What a request comes with: where it is from, and, where that has been looked at, who has sent it and the `pass` of the
 * session or key that has let them in.
 */
export type Env = { Bindings: RequestFrom; Variables: { user: string; pass: string } };

/** Who asks, and with what. */
export interface Asked<Body, Query> {
  readonly user: string;
  /** The parts of the path, such as `thread`. */
  readonly path: Readonly<Record<string, string>>;
  readonly body: Body;
  readonly query: Query;
}

/** What is done at an address; the OpenAPI document is made of these. */
export interface Described {
  readonly method: "get" | "post" | "patch" | "delete";
  /** As OpenAPI writes it, such as `/api/conversations/{thread}`. */
  readonly path: string;
  readonly summary: string;
  readonly body?: z.ZodType;
  readonly query?: z.ZodObject;
  /** What comes back as JSON; nothing (204) if absent. */
  readonly answer?: z.ZodType;
  /** What may come back instead of JSON. */
  readonly media?: string;
  /** Who may ask: whoever is signed in if absent, else whoever has a key, or everyone. */
  readonly access?: "key" | "everyone";
  /** What comes back when it is not done; `{ error }` if absent. */
  readonly failure?: z.ZodType;
  /** The largest body, in bytes; that of a message without images if absent. */
  readonly largest?: number;
}

/** One thing that the API does for someone who is signed in. */
export interface Route extends Described {
  /** A `Response` is answered as it is. */
  run(asked: Asked<unknown, unknown>): Promise<unknown>;
}

interface Typed<Body extends z.ZodType, Query extends z.ZodObject, Answer extends z.ZodType> {
  readonly method: Route["method"];
  readonly path: string;
  readonly summary: string;
  readonly body?: Body;
  readonly query?: Query;
  readonly answer?: Answer;
  readonly media?: string;
  readonly largest?: number;
  run(asked: Asked<z.infer<Body>, z.infer<Query>>): Promise<z.input<Answer> | Response | void>;
}

/** A route whose handler is given what its schemas say. */
export function route<Body extends z.ZodType, Query extends z.ZodObject, Answer extends z.ZodType>(
  typed: Typed<Body, Query, Answer>,
): Route {
  return typed;
}

/** Why a request is not carried out: an HTTP status, a sentence for the client, and what goes with that. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: 400 | 401 | 403 | 404 | 409 | 413 | 429 | 503;
  /** What the answer says beside the sentence. */
  readonly more: object | undefined;
  /** When it is worth another try, in seconds. */
  readonly retryAfterS: number | undefined;

  constructor(
    status: Refused["status"],
    message: string,
    { more, retryAfterS }: { readonly more?: object; readonly retryAfterS?: number } = {},
  ) {
    super(message);
    this.status = status;
    this.more = more;
    this.retryAfterS = retryAfterS;
  }
}

/** For who has failed too often. */
export function tooManyTries(): Refused {
  return new Refused(429, "Too many tries. Please wait a minute.", { retryAfterS: 60 });
}
