/** The same stream, which ends where the other one breaks off, and lets it go when nobody listens any more. */
export function ending(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream({
    pull: async (controller) => {
      const next = await reader.read().catch(() => undefined);
      if (next?.value) controller.enqueue(next.value);
      else controller.close();
    },
    cancel: (reason) => reader.cancel(reason).catch(() => undefined),
  });
}
