/** The messages that processes publish to one another, by topic. */
export interface Subscriptions {
  subscribe(topic: string, receive: (message: unknown) => void, missed?: () => void): void;
  /** Formats a message for the other processes. */
  encode(topic: string, message: object): string;
  /** Calls the subscribers of a message that another process has encoded. */
  dispatch(payload: string): void;
  /** Tells all subscribers that they may have missed messages. */
  notifyMissed(): void;
}

interface Subscriber {
  readonly receive: (message: unknown) => void;
  readonly missed: (() => void) | undefined;
}

/** Creates the subscriptions of the process with this id, which ignores its own messages. */
export function createSubscriptions(processId: string): Subscriptions {
  const subscribers = new Map<string, Subscriber[]>();
  return {
    subscribe: (topic, receive, missed) => {
      subscribers.set(topic, [...(subscribers.get(topic) ?? []), { receive, missed }]);
    },
    // The field names are part of the protocol between processes of different versions (also in queue/postgres/inbox.ts).
    encode: (topic, message) => JSON.stringify({ topic, what: message, from: processId }),
    dispatch: (payload) => {
      const { topic, what: message, from } = parse(payload);
      if (from === processId) return;
      for (const { receive } of subscribers.get(String(topic)) ?? []) receive(message);
    },
    notifyMissed: () => {
      for (const { missed } of [...subscribers.values()].flat()) missed?.();
    },
  };
}

function parse(payload: string): { topic?: unknown; what?: unknown; from?: unknown } {
  try {
    return JSON.parse(payload) as { topic?: unknown };
  } catch {
    return {};
  }
}
