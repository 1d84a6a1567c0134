import type { z } from "zod";
import type { RequestFrom } from "../../../src/adapter.ts";

/**
 * What the server knows about a request: where it comes from and, once that has been checked, its user and the `pass` of
 * the session or key that authorizes it.
 */
export type RequestEnv = { Bindings: RequestFrom; Variables: { user: string; pass: string } };

/** An operation of the API. The OpenAPI document is generated from these. */
export interface Operation {
  readonly method: "get" | "post" | "patch" | "delete";
  /** As OpenAPI writes it, such as `/api/conversations/{thread}`. */
  readonly path: string;
  readonly summary: string;
  readonly body?: z.ZodType;
  readonly query?: z.ZodObject;
  /** The JSON of the response; 204 without content if absent. */
  readonly response?: z.ZodType;
  /** A media type that the response may have instead of JSON. */
  readonly media?: string;
  /** Who may call it: with an API key, or everyone; users who are signed in if absent. */
  readonly access?: "key" | "everyone";
  /** The JSON of an error; `{ error }` if absent. */
  readonly failure?: z.ZodType;
  /** The largest body, in bytes; that of a message without images if absent. */
  readonly maxBody?: number;
}

/** An operation for users who are signed in, with its handler. */
export interface ApiRoute extends Operation {
  /** Resolves with the JSON of the response, or with a whole `Response`. */
  run(request: RouteRequest<unknown, unknown>): Promise<unknown>;
}

/** A request to a route, checked against the route's schemas. */
export interface RouteRequest<Body, Query> {
  readonly user: string;
  /** The parameters in the path, such as `thread`. */
  readonly path: Readonly<Record<string, string>>;
  readonly body: Body;
  readonly query: Query;
}

interface TypedRoute<Body extends z.ZodType, Query extends z.ZodObject, Result extends z.ZodType> {
  readonly method: ApiRoute["method"];
  readonly path: string;
  readonly summary: string;
  readonly body?: Body;
  readonly query?: Query;
  readonly response?: Result;
  readonly media?: string;
  readonly maxBody?: number;
  run(request: RouteRequest<z.infer<Body>, z.infer<Query>>): Promise<z.input<Result> | Response | void>;
}

/** Creates a route whose handler has the types of its schemas. */
export function route<Body extends z.ZodType, Query extends z.ZodObject, Result extends z.ZodType>(
  typed: TypedRoute<Body, Query, Result>,
): ApiRoute {
  return typed;
}
