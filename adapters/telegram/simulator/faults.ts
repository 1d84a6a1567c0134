/** A failure of calls. */
export interface Fault {
  /** The method that fails; any method if absent. */
  readonly method?: string;
  /** How many calls fail; 1 by default. */
  readonly times?: number;
  /**
   * "hang": there is no answer; "reset": the connection breaks; "html": a captive portal answers with status 200;
   * "after": the call is performed, but the connection breaks before the answer; or an answer with the given status.
   */
  readonly how: "hang" | "reset" | "html" | "after" | { readonly status: number; readonly body?: object };
}

/** The planned faults. */
export interface Faults {
  /** Plans a fault; returns a function that cancels it. */
  add(fault: Fault): () => void;
  /** Returns and uses up the fault of the next call of this method, if there is one. */
  next(method: string): Fault["how"] | undefined;
}

/** Creates an empty plan. Faults occur in the order in which they were planned. */
export function createFaults(): Faults {
  const planned = new Map<Fault, number>();
  return {
    add: (fault) => {
      const own = { ...fault };
      planned.set(own, fault.times ?? 1);
      return () => void planned.delete(own);
    },
    next: (method) => {
      for (const [fault, left] of planned) {
        if (fault.method !== undefined && fault.method.toLowerCase() !== method.toLowerCase()) continue;
        if (left > 1) planned.set(fault, left - 1);
        else planned.delete(fault);
        return fault.how;
      }
      return undefined;
    },
  };
}
