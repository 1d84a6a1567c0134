/** Wraps a stream so that it ends where the original breaks off. Cancelling it cancels the original. */
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
