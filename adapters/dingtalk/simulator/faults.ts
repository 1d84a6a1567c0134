/** A fault that a request meets. */
export interface Fault {
  /** Which call it affects; any if absent. */
  readonly call?: CallName;
  /** How many calls it affects; 1 if absent. */
  readonly times?: number;
  /**
   * "hang" never answers, "reset" cuts the connection, "html" answers like a captive portal with status 200, "after"
   * carries out the request and then cuts the connection; an object is answered as it is.
   */
  readonly how: "hang" | "reset" | "html" | "after" | { readonly status: number; readonly body?: object };
}

/** The requests of a robot: for a token and a Stream connection, for messages, and for cards. */
export type CallName = "token" | "open" | "connect" | "webhook" | "person" | "group" | "card" | "streaming";

/** The faults that wait for a matching call. */
export interface Faults {
  /** Adds a fault; the returned function removes it. */
  add(fault: Fault): () => void;
  /** Returns the fault that this call meets, and counts it. */
  meet(call: CallName): Fault["how"] | undefined;
}

/** Creates a list of faults, which apply in the order in which they were added. */
export function createFaults(): Faults {
  const waiting = new Map<Fault, number>();
  return {
    add: (fault) => {
      const own = { ...fault };
      waiting.set(own, fault.times ?? 1);
      return () => void waiting.delete(own);
    },
    meet: (call) => {
      for (const [fault, left] of waiting) {
        if (fault.call !== undefined && fault.call !== call) continue;
        if (left > 1) waiting.set(fault, left - 1);
        else waiting.delete(fault);
        return fault.how;
      }
      return undefined;
    },
  };
}
