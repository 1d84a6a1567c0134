import type { AnswerFile } from "../adapter.ts";
import { describeError, PlatformError } from "../errors.ts";
import type { ChatEvent } from "../event.ts";
import { localeOf, texts } from "../i18n/texts.ts";
import type { Log } from "../log.ts";
import type { Choice } from "../text/dialect/dialect.ts";
import { inSlices } from "../system/slices.ts";
import { createPager } from "../text/paginate/paginate.ts";
import { showFrames } from "./frames.ts";
import { createStreamingStrategy, type StreamingStrategy } from "./streaming.ts";
import { retryUntilAccepted } from "./retry.ts";
import { createPostedMessages, type PostedMessagesOptions } from "./posted-messages.ts";
import type { ChatPacing, Pacing } from "./pacing.ts";

export interface Delivery<Body> extends PostedMessagesOptions<Body> {
  /**
   * Records the whole text (empty if nothing of it can be seen) and returns it, or a text to be shown
   * instead; called before the last of it is shown.
   */
  readonly whole: (text: string) => Promise<string>;
  /** What the person may choose from by buttons below the last page, where the dialect has them. */
  readonly choices?: readonly Choice[] | undefined;
  /** The same for all answers. */
  readonly pacing: Pacing;
  /** Aborts when the program stops; what is not shown then is shown by the next run. */
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** Telegram forgets "typing" after 5 s, Discord after 10. */
const TYPING_EVERY_MS = 4_500;

/**
 * Shows a reply on its platform: while it grows at the platform's pace, and whole at the end. Resolves when
 * all of it stands. Rejects with a permanent `PlatformError`, with what the stream threw, or with the
 * signal's reason.
 */
export async function deliver<Body>(
  reply: string | AsyncIterable<string>,
  delivery: Delivery<Body>,
): Promise<void> {
  const { adapter, event, signal, log } = delivery;
  const pacing = delivery.pacing.of(adapter, event);
  const trying = { platform: adapter.name, signal, log };
  const posted = createPostedMessages(delivery);
  const pager = createPager(adapter.dialect);
  const most = (adapter.files?.send && adapter.files.maxPages?.(event.to)) ?? Number.POSITIVE_INFINITY;
  const text = typeof reply === "string" ? reply : await stream(reply);
  const own = await inSlices(pager.inSteps(text, true));
  const final = await delivery.whole(own.length > 0 ? text : "");
  const pages = withChoices(
    final === text ? own : await inSlices(createPager(adapter.dialect).inSteps(final, true)),
  );
  if (pages.length <= most || !(await showWithFile(pages.slice(0, most), final))) {
    await posted.show(pages, attempt);
    await posted.cut(pages.length, attempt);
  }
  const { refs } = posted;
  const shown = pages.flatMap((body, index) =>
    refs[index] === undefined ? [] : [{ ref: refs[index], body }],
  );
  await retryUntilAccepted(async () => adapter.finish?.(event.to, shown), trying);

  function withChoices(all: readonly Body[]): readonly Body[] {
    const { choices = [] } = delivery;
    const last = all.at(-1);
    const { buttons } = adapter.dialect;
    if (last === undefined || choices.length === 0 || !buttons) return all;
    return [...all.slice(0, -1), buttons.add(last, choices)];
  }

  function attempt<T>(action: () => Promise<T>): Promise<T> {
    return retryUntilAccepted(() => pacing.writeInTurn(action, signal), trying);
  }

  async function stream(stream: AsyncIterable<string>): Promise<string> {
    const strategy = createStreamingStrategy({ ...delivery, posted, pacing });
    const stopTyping = showTyping(delivery, { strategy, pacing });
    const visible = async (grown: string) => (await inSlices(pager.inSteps(grown, false))).slice(0, most);
    return showFrames(stream, { strategy, pages: visible, signal, log }).finally(stopTyping);
  }

  /** False if the platform refuses the file, for want of a permission: then all pages are messages. */
  async function showWithFile(first: readonly Body[], markdown: string): Promise<boolean> {
    await posted.show(first, attempt);
    try {
      await posted.attach(fileOf(markdown, event), first.length, attempt);
      return true;
    } catch (error) {
      if (!(error instanceof PlatformError) || !error.permanent) throw error;
      log.warn(
        { code: error.code },
        `a file was refused, its pages are sent instead: ${describeError(error)}`,
      );
      return false;
    }
  }
}

/** The whole answer for those who would have to read it in too many messages. */
function fileOf(content: string, { user, text }: ChatEvent): AnswerFile {
  return { name: "answer.md", content, note: texts(localeOf(user.locale, text))("answer.file") };
}

/** Shows "typing" until there is something to see; returns how to end it. */
function showTyping<Body>(
  { adapter, event, log }: Delivery<Body>,
  { strategy, pacing }: { strategy: StreamingStrategy<Body>; pacing: ChatPacing },
): () => void {
  if (!adapter.typing) return () => undefined;
  const show = () => {
    if (strategy.seen) return stop();
    pacing
      .callIfIdle(async () => adapter.typing?.(event.to))
      .catch((error: unknown) => log.debug(`could not show typing: ${describeError(error)}`));
  };
  const timer = setInterval(show, TYPING_EVERY_MS);
  const stop = () => clearInterval(timer);
  show();
  return stop;
}
