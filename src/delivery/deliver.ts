import { setTimeout as sleep } from "node:timers/promises";
import type { AnswerFile } from "../adapter.ts";
import { describeError, PlatformError } from "../errors.ts";
import type { ChatEvent } from "../event.ts";
import { localeOf, texts } from "../i18n/texts.ts";
import type { Log } from "../log.ts";
import { createPager } from "../text/paginate.ts";
import { growing } from "./growing.ts";
import { pauseAfter, untilTaken } from "./retry.ts";
import { createScreen, type Screen, type ScreenOptions } from "./screen.ts";

export interface Delivery<Body> extends ScreenOptions<Body> {
  /**
   * Records the whole text (empty if nothing of it can be seen) and returns it, or a text to be shown
   * instead; called before the last of it is shown.
   */
  readonly whole: (text: string) => Promise<string>;
  /** Aborts when the program stops; what is not shown then is shown by the next run. */
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** Telegram forgets "typing" after 5 s, Discord after 10. */
const TYPING_EVERY_MS = 4_500;

/** What the model says within this time of its first word is the first thing shown, in ms. */
const GATHER_MS = 40;

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
  const screen = createScreen(delivery);
  const pager = createPager(adapter.dialect);
  const most = (adapter.sendFile && adapter.mostPages?.(event.to)) ?? Number.POSITIVE_INFINITY;
  const text = typeof reply === "string" ? reply : await showGrowing();
  const own = pager.pages(text, true);
  const final = await delivery.whole(own.length > 0 ? text : "");
  const pages = final === text ? own : createPager(adapter.dialect).pages(final, true);
  const attempt = <T>(action: () => Promise<T>) => untilTaken(action, signal, log);
  if (pages.length <= most || !(await showWithFile(pages.slice(0, most), final))) {
    await screen.show(pages, attempt);
    await screen.cut(pages.length, attempt);
  }
  await adapter.finish?.(event.to);

  /** False if the platform refuses the file, for want of a permission: then all pages are messages. */
  async function showWithFile(first: readonly Body[], markdown: string): Promise<boolean> {
    await screen.show(first, attempt);
    try {
      await screen.attach(fileOf(markdown, event), first.length, attempt);
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

  async function showGrowing(): Promise<string> {
    const answer = growing(reply as AsyncIterable<string>, signal);
    const stopTyping = keepTyping(delivery, screen);
    try {
      await answer.grown();
      let next = { pauseMs: GATHER_MS, failures: 0 };
      for (;;) {
        await pause(next.pauseMs, answer.end);
        if (!answer.ended) await answer.grown();
        // The last state is shown by the caller, once it is recorded as the whole.
        if (answer.ended) break;
        next = await showFrame(answer.text, next.failures);
      }
    } finally {
      stopTyping();
    }
    await answer.end;
    return answer.text;
  }

  /** A frame that the platform does not take is dropped: the next one shows more anyway. */
  async function showFrame(text: string, failures: number): Promise<{ failures: number; pauseMs: number }> {
    const pages = pager.pages(text, false);
    try {
      // Without edits a growing page cannot be shown: only full ones are posted.
      const visible = adapter.edit ? pages : pages.slice(0, -1);
      await screen.show(visible.slice(0, most), (action) => action());
      return { failures: 0, pauseMs: adapter.pace[event.chat.kind] };
    } catch (error) {
      if (!(error instanceof PlatformError) || error.permanent) throw error;
      log.debug({ code: error.code }, `a frame of a growing answer was dropped: ${describeError(error)}`);
      return { failures: failures + 1, pauseMs: pauseAfter(error, failures + 1) };
    }
  }
}

/** The whole answer for those who would have to read it in too many messages. */
function fileOf(content: string, { user, text }: ChatEvent): AnswerFile {
  return { name: "answer.md", content, note: texts(localeOf(user.locale, text))("answer.file") };
}

/** Waits, but not beyond the end of the answer. */
async function pause(ms: number, end: Promise<void>): Promise<void> {
  const over = new AbortController();
  const ended = end.catch(() => undefined);
  await Promise.race([sleep(ms, undefined, { signal: over.signal }).catch(() => undefined), ended]);
  over.abort();
}

/** Shows "typing" until there is something to see; returns how to end it. */
function keepTyping<Body>({ adapter, event, log }: Delivery<Body>, screen: Screen<Body>): () => void {
  if (!adapter.typing) return () => undefined;
  const show = () => {
    if (!screen.empty) return stop();
    adapter
      .typing?.(event.to)
      .catch((error: unknown) => log.debug(`could not show typing: ${describeError(error)}`));
  };
  const timer = setInterval(show, TYPING_EVERY_MS);
  const stop = () => clearInterval(timer);
  show();
  return stop;
}
