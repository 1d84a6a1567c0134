import type { ServerResponse } from "node:http";
import { refusalBody } from "./openai-errors.ts";

/** A fault that affects the next requests. */
export interface Fault {
  /** How many requests it affects; 1 by default. */
  readonly times?: number;
  /** Refuses the request with this HTTP status. */
  readonly status?: number;
  /** The body of the refusal or of an error in the stream; by default what OpenAI sends. A string is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly kind?: FaultKind;
  /** How many chunks of the text precede the fault; 0 by default. */
  readonly after?: number;
}

export type FaultKind =
  | "hang" // sends no headers for as long as the client waits
  | "stall" // sends nothing more but comments that keep the connection open
  | "cut" // ends the stream without finish_reason and [DONE]
  | "reset" // resets the connection
  | "html" // sends a web page with status 200
  | "error-in-stream" // sends an error object instead of a chunk
  | "no-finish" // sends the whole text and [DONE], but no finish_reason
  | "junk-json"; // sends a chunk of invalid JSON

/** The faults still to come, in order. */
export interface FaultQueue {
  add(fault: Fault): void;
  /** The fault of the next request, if there is one. Counts as one of its `times`. */
  next(): Fault | undefined;
}

export function createFaultQueue(): FaultQueue {
  const faults: { fault: Fault; left: number }[] = [];
  return {
    add: (fault) => void faults.push({ fault, left: fault.times ?? 1 }),
    next: () => {
      const next = faults[0];
      if (next && (next.left -= 1) <= 0) faults.shift();
      return next?.fault;
    },
  };
}

/** Sends a whole response: a refusal, or an answer that is not a stream. */
export function sendWhole(
  response: ServerResponse,
  { status, body = refusalBody(status), headers }: Fault & { readonly status: number },
): void {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const type = typeof body === "string" ? "text/html; charset=utf-8" : "application/json";
  response.writeHead(status, { "content-type": type, ...headers }).end(text);
}
