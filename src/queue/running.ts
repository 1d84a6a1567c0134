/** Which events are being worked on, as is known after the process has died: one of them may have ended it. */
export interface Running {
  /** Those that the last run was at when it ended, in the order in which they were begun. */
  left(): Promise<readonly string[]>;
  /** Resolves once it is stored. */
  begin(id: string): Promise<void>;
  /** Resolves once it is stored; an event that is gone from the queue need not wait for that. */
  end(id: string): Promise<void>;
}

/** A text that survives the process. */
export interface Note {
  load(): Promise<string | undefined>;
  save(text: string): Promise<void>;
}

/** All in one note: while it is written, what is to be written next is gathered. */
export function createRunning(note: Note): Running {
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
