/** A fault that a request gets instead of the right answer, or after it was carried out. */
export interface Fault {
  /** Such as "POST"; any method if absent. */
  readonly method?: string;
  /** Tested against the path after /api/v10; "/gateway-socket" is the gateway's WebSocket. */
  readonly path?: RegExp;
  /** How many requests it affects; 1 if absent. */
  readonly times?: number;
  /** Answers with this status and `body` without carrying out the request. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** "hang" never answers, "reset" cuts the connection, "after" carries out the request and then cuts it. */
  readonly connection?: "hang" | "reset" | "after";
}

/** Creates the list of faults that wait for a matching request. */
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
