import { channel } from "node:diagnostics_channel";

/** What happens, for metrics and traces. Events never contain what users write or who they are. */
export interface TelemetryEvents {
  /** A message has reached a stage; see `STAGES`. */
  readonly step: { readonly step: string; readonly event: EventOrigin; readonly at: number };
  /** A turn has ended. */
  readonly turn: {
    readonly event: EventOrigin;
    /** `failed`: the user was told why there is no complete answer, or cannot be reached; `given_up`: a dead letter. */
    readonly outcome: "answered" | "failed" | "stopped" | "given_up";
    readonly at: number;
  };
  /** Tokens were used. */
  readonly spent: {
    readonly model: string;
    readonly input: number;
    readonly output: number;
    /** In the currency of the prices; absent if no price is known. */
    readonly cost?: number | undefined;
  };
  /** A request to a model has ended: `answered`, `stopped`, or the code of its `ModelError`. Each attempt counts. */
  readonly asked: { readonly model: string; readonly outcome: string };
  /** An error has occurred. */
  readonly error: { readonly kind: "model" | "platform" | "handler" | "store"; readonly code: string };
  /** A platform has accepted a write, or refused it: `slow` if it asks to wait. */
  readonly write: { readonly platform: string; readonly outcome: "taken" | "slow" | "failed" };
  /** A write is repeated. */
  readonly retry: { readonly platform: string };
}

/** Which message a telemetry event is about. */
export interface EventOrigin {
  readonly id: string;
  readonly platform: string;
  /** When the message was sent, in ms since the epoch. */
  readonly at: number;
}

/** Publishes an event on the diagnostics channel `colloquy:<name>`; costs nothing without subscribers. */
export function emit<Name extends keyof TelemetryEvents>(name: Name, event: TelemetryEvents[Name]): void {
  const events = channel(`colloquy:${name}`);
  if (events.hasSubscribers) events.publish(event);
}

/** Calls `listener` with every event of a name from now on; returns how to unsubscribe. */
export function subscribe<Name extends keyof TelemetryEvents>(
  name: Name,
  listener: (event: TelemetryEvents[Name]) => void,
): () => void {
  const events = channel(`colloquy:${name}`);
  const onMessage = (event: unknown) => listener(event as TelemetryEvents[Name]);
  events.subscribe(onMessage);
  return () => events.unsubscribe(onMessage);
}
