/** What goes wrong with a request. */
export interface Fault {
  /** Of this call; of any if not given. */
  readonly call?: CallName;
  /** So many calls; 1 by default. */
  readonly times?: number;
  /**
   * "hang": no answer; "reset": the connection breaks; "html": a captive portal answers with status 200;
   * "after": it is done, but the connection breaks before the answer; or an answer of your own.
   */
  readonly how: "hang" | "reset" | "html" | "after" | { readonly status: number; readonly body?: object };
}

/** The requests that a robot makes: token, stream connection, the ways to say something, and cards. */
export type CallName = "token" | "open" | "connect" | "webhook" | "person" | "group" | "card" | "streaming";

/** The faults still to come. */
export interface Faults {
  /** Plans a fault; returns how to call it off. */
  add(fault: Fault): () => void;
  /** The fault that this call meets. */
  meet(call: CallName): Fault["how"] | undefined;
}

/** Faults are met in the order in which they were planned. */
export function createFaults(): Faults {
  const planned = new Map<Fault, number>();
  return {
    add: (fault) => {
      const own = { ...fault };
      planned.set(own, fault.times ?? 1);
      return () => void planned.delete(own);
    },
    meet: (call) => {
      for (const [fault, left] of planned) {
        if (fault.call !== undefined && fault.call !== call) continue;
        if (left > 1) planned.set(fault, left - 1);
        else planned.delete(fault);
        return fault.how;
      }
      return undefined;
    },
  };
}
