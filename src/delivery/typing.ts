import { describeError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { ChatPacing } from "./pacing.ts";
import type { PostedMessagesOptions } from "./posted-messages.ts";
import type { StreamingStrategy } from "./streaming.ts";

/** How often the typing indicator is renewed, in ms. Telegram drops it after 5 s, Discord after 10 s. */
const TYPING_EVERY_MS = 4_500;

interface TypingOptions<Body> extends Pick<PostedMessagesOptions<Body>, "adapter" | "event"> {
  readonly strategy: StreamingStrategy<Body>;
  readonly pacing: ChatPacing;
  readonly log: Log;
}

/** Keeps the typing indicator on until part of the answer is visible. Returns a function that stops it earlier. */
export function startTyping<Body>({
  adapter,
  event,
  strategy,
  pacing,
  log,
}: TypingOptions<Body>): () => void {
  if (!adapter.typing) return () => undefined;
  const renew = () => {
    if (strategy.isVisible) return stop();
    pacing
      .callIfIdle(async () => adapter.typing?.(event.to))
      .catch((error: unknown) => log.debug(`could not show the typing indicator: ${describeError(error)}`));
  };
  const timer = setInterval(renew, TYPING_EVERY_MS);
  const stop = () => clearInterval(timer);
  renew();
  return stop;
}
