/** The ids of the events that are being processed, stored so that the next run knows what may have ended this one. */
export interface RunningEvents {
  /** The events that were running when the last run ended, in the order in which they began. */
  left(): Promise<readonly string[]>;
  /** Resolves when it is stored that the event is running. */
  begin(id: string): Promise<void>;
  /** Resolves when it is stored that the event has ended; there is no need to wait if it has left the queue. */
  end(id: string): Promise<void>;
}

/** A text that survives the process. */
export interface Note {
  load(): Promise<string | undefined>;
  save(text: string): Promise<void>;
}

/** Stores the ids in one note. Changes that arrive during a write are combined into the next write. */
export function createRunning(note: Note): RunningEvents {
  const ids = new Set<string>();
  let writing: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  return {
    left: async () => {
      const found: unknown = parse((await note.load()) ?? "[]");
      return Array.isArray(found) ? found.filter((id) => typeof id === "string") : [];
    },
    begin: (id) => {
      ids.add(id);
      return write();
    },
    end: (id) => {
      ids.delete(id);
      return write();
    },
  };

  function write(): Promise<void> {
    next ??= writing
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        writing = note.save(JSON.stringify([...ids]));
        return writing;
      });
    return next;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
