import { ServiceRefusal } from "../refusal.ts";

/** The most bytes of a refusal that are read. */
const MAX_REFUSAL = 16_384;
/** The most bytes in one event of a stream, which is read as a whole. It may hold a few words or a whole answer. */
const MAX_EVENT = 8_000_000;

/**
 * Wraps `fetch` for the openai package. A response that is not a stream becomes a `Refusal`, which keeps the body: the
 * package only reads OpenAI's own format. The events of a stream are limited in size.
 */
export function guardFetch(given: typeof fetch | undefined): typeof fetch {
  return async (input, init) => {
    const response = await (given ?? fetch)(input, init);
    if (response.ok && !/json|html/i.test(response.headers.get("content-type") ?? ""))
      return limitEvents(response);
    throw new ServiceRefusal(response.status, response.headers, await readStart(response));
  };
}

/** The same response, whose body fails if an event is too large: the package buffers an event until its end. */
function limitEvents(response: Response): Response {
  let size = 0;
  let tail = Buffer.alloc(0);
  const limiter = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      const bytes = Buffer.concat([tail, chunk]);
      const end = Math.max(...["\n\n", "\r\r", "\r\n\r\n"].map((blank) => bytes.lastIndexOf(blank)));
      size = end < 0 ? size + chunk.length : bytes.length - end;
      tail = bytes.subarray(-3);
      if (size > MAX_EVENT) throw new Error(`sent an event of more than ${MAX_EVENT / 1e6} MB`);
      controller.enqueue(chunk);
    },
  });
  const { status, headers } = response;
  return new Response(response.body?.pipeThrough(limiter) ?? null, { status, headers });
}

/** The beginning of a body, which says what matters: the response may be an endless page. */
async function readStart({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= MAX_REFUSAL) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_REFUSAL).toString("utf8");
}
