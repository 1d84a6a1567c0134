import { channel } from "node:diagnostics_channel";

/** What happens, for whoever measures it or shows it; nothing of what people say or who they are is in it. */
export interface TelemetryEvents {
  /** A message has come so far. */
  readonly step: { readonly step: string; readonly event: EventOrigin; readonly at: number };
  /** An answer stands, or what there is to say instead. */
  readonly turn: {
    readonly event: EventOrigin;
    /** `failed`: the person was told why there is no whole answer, or cannot be reached; `given_up`: a dead letter. */
    readonly outcome: "answered" | "failed" | "stopped" | "given_up";
    readonly at: number;
  };
  /** What a model was paid for. */
  readonly spent: {
    readonly model: string;
    readonly input: number;
    readonly output: number;
    /** Absent where no price is known. */
    readonly cost?: number | undefined;
  };
  /** One request to a model is over: `answered`, `stopped`, or the code of its `ModelError`; another try is another one. */
  readonly asked: { readonly model: string; readonly outcome: string };
  /** Something went wrong; `kind` and `code` are those of the error. */
  readonly error: { readonly kind: "model" | "platform" | "handler" | "store"; readonly code: string };
  /** A platform has taken a write, or not: then `slow` if it asks to wait. */
  readonly write: { readonly platform: string; readonly outcome: "taken" | "slow" | "failed" };
  /** A write that must arrive is made once more. */
  readonly retry: { readonly platform: string };
}

/** A message on its way. */
export interface EventOrigin {
  readonly id: string;
  readonly platform: string;
  /** When it was said, in ms since the epoch. */
  readonly at: number;
}

/** Tells what happens on the channel `colloquy:<what>` of Node's diagnostics channels; it costs nothing if nobody listens. */
export function emit<What extends keyof TelemetryEvents>(what: What, about: TelemetryEvents[What]): void {
  const told = channel(`colloquy:${what}`);
  if (told.hasSubscribers) told.publish(about);
}

/** Calls `heard` with all that is told from now on; returns how to end that. */
export function subscribe<What extends keyof TelemetryEvents>(
  what: What,
  heard: (about: TelemetryEvents[What]) => void,
): () => void {
  const told = channel(`colloquy:${what}`);
  const listener = (about: unknown) => heard(about as TelemetryEvents[What]);
  told.subscribe(listener);
  return () => told.unsubscribe(listener);
}
