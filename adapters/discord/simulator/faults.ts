/** A fault to be played to the bot instead of, or after, the right answer. */
export interface Fault {
  /** "POST", …; any method if absent. */
  readonly method?: string;
  /** Matched against the path after /api/v10; "/gateway-socket" is the gateway's WebSocket. */
  readonly path?: RegExp;
  /** How many requests it hits; 1 if absent. */
  readonly times?: number;
  /** Answers with this status and `body`, and does nothing else. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** "hang" never answers, "reset" cuts the connection, "after" does the work and then cuts it. */
  readonly connection?: "hang" | "reset" | "after";
}

/** The faults that wait for a request to hit. */
export function createFaults() {
  const waiting: { fault: Fault; left: number }[] = [];

  function take(method: string, path: string): Fault | undefined {
    const hit = waiting.find(
      ({ fault, left }) =>
        left > 0 &&
        (!fault.method || fault.method.toUpperCase() === method) &&
        (!fault.path || fault.path.test(path)),
    );
    if (hit) hit.left--;
    return hit?.fault;
  }

  return { add: (fault: Fault) => void waiting.push({ fault, left: fault.times ?? 1 }), take };
}
