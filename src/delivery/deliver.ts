import type { AnswerFile } from "../adapter.ts";
import { describeError, PlatformError } from "../errors.ts";
import type { ChatEvent } from "../event.ts";
import { localeOf, texts } from "../i18n/texts.ts";
import type { Log } from "../log.ts";
import type { Choice } from "../text/dialect/dialect.ts";
import { inSlices } from "../system/slices.ts";
import { createPager } from "../text/paginate/paginate.ts";
import { streamFrames } from "./frames.ts";
import { createStreamingStrategy } from "./streaming.ts";
import { retryUntilAccepted } from "./retry.ts";
import { createPostedMessages, type PostedMessagesOptions } from "./posted-messages.ts";
import type { Pacing } from "./pacing.ts";
import { startTyping } from "./typing.ts";

export interface Delivery<Body> extends PostedMessagesOptions<Body> {
  /**
   * Stores the whole reply, and returns the text to post, which may be another one. Called with an empty text if
   * nothing of the reply is visible, and always before the last page is complete on the platform.
   */
  readonly whole: (text: string) => Promise<string>;
  /** The buttons below the last page, if the dialect has buttons. */
  readonly choices?: readonly Choice[] | undefined;
  /** Shared by all deliveries. */
  readonly pacing: Pacing;
  /** Aborts when the program stops. The next run posts what is still missing. */
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * Posts a reply on its platform. While the reply streams in, its pages are updated at the platform's pace; at the end
 * they are completed. Resolves when the whole reply is posted. Rejects with a permanent `PlatformError`, with the
 * error of the stream, or with the signal's reason.
 */
export async function deliver<Body>(
  reply: string | AsyncIterable<string>,
  delivery: Delivery<Body>,
): Promise<void> {
  const { adapter, event, signal, log } = delivery;
  const pacing = delivery.pacing.of(adapter, event);
  const retrying = { platform: adapter.name, signal, log };
  const posted = createPostedMessages(delivery);
  const pager = createPager(adapter.dialect);
  const maxPages = (adapter.files?.send && adapter.files.maxPages?.(event.to)) ?? Number.POSITIVE_INFINITY;
  const text = typeof reply === "string" ? reply : await stream(reply);
  const ownPages = await inSlices(pager.inSteps(text, true));
  const final = await delivery.whole(ownPages.length > 0 ? text : "");
  const pages = withChoices(
    final === text ? ownPages : await inSlices(createPager(adapter.dialect).inSteps(final, true)),
  );
  if (pages.length <= maxPages || !(await postWithFile(pages.slice(0, maxPages), final))) {
    await posted.show(pages, attempt);
    await posted.cut(pages.length, attempt);
  }
  const { refs } = posted;
  const finished = pages.flatMap((body, index) =>
    refs[index] === undefined ? [] : [{ ref: refs[index], body }],
  );
  await retryUntilAccepted(async () => adapter.finish?.(event.to, finished), retrying);

  function withChoices(all: readonly Body[]): readonly Body[] {
    const { choices = [] } = delivery;
    const last = all.at(-1);
    const { buttons } = adapter.dialect;
    if (last === undefined || choices.length === 0 || !buttons) return all;
    return [...all.slice(0, -1), buttons.add(last, choices)];
  }

  function attempt<T>(action: () => Promise<T>): Promise<T> {
    return retryUntilAccepted(() => pacing.writeInTurn(action, signal), retrying);
  }

  async function stream(stream: AsyncIterable<string>): Promise<string> {
    const strategy = createStreamingStrategy({ ...delivery, posted, pacing });
    const stopTyping = startTyping({ adapter, event, strategy, pacing, log });
    const paginate = async (soFar: string) =>
      (await inSlices(pager.inSteps(soFar, false))).slice(0, maxPages);
    return streamFrames(stream, { strategy, paginate, signal, log }).finally(stopTyping);
  }

  /**
   * Posts the first pages, and the whole answer as a file behind them. Returns false if the platform refuses the file
   * for good, as without the permission to send files: then every page must become a message.
   */
  async function postWithFile(first: readonly Body[], markdown: string): Promise<boolean> {
    await posted.show(first, attempt);
    try {
      await posted.attach(fileOf(markdown, event), first.length, attempt);
      return true;
    } catch (error) {
      if (!(error instanceof PlatformError) || !error.permanent) throw error;
      log.warn(
        { code: error.code },
        `the platform refused a file, sending its pages as messages instead: ${describeError(error)}`,
      );
      return false;
    }
  }
}

/** The whole answer as a file, for platforms on which it would take too many messages. */
function fileOf(content: string, { user, text }: ChatEvent): AnswerFile {
  return { name: "answer.md", content, note: texts(localeOf(user.locale, text))("answer.file") };
}
