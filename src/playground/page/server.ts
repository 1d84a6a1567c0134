import type { News, Wish } from "../protocol.ts";
import { byId } from "./dom.ts";
import { locale, words } from "./words.ts";

/** Asks the server for something; what is against it is shown to the person. */
export async function wish(what: Wish): Promise<void> {
  const response = await fetch("playground/wish", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ locale, wish: what }),
  }).catch(() => undefined);
  if (response?.ok) return;
  const answer: unknown = await response?.json().catch(() => undefined);
  const error = typeof answer === "object" && answer && "error" in answer ? String(answer.error) : words.lost;
  toast(words.failed + error);
}

/** Everything the server tells, from now on; `lost` is called when it has gone. */
export function listen(take: (news: News) => void, lost: () => void): void {
  const source = new EventSource("playground/events");
  source.addEventListener("message", ({ data }: MessageEvent<string>) => take(JSON.parse(data) as News));
  source.addEventListener("error", lost);
}

/** How long something is shown, in ms. */
const TOAST_MS = 6000;
let timer = 0;

function toast(text: string): void {
  const place = byId("toast");
  place.textContent = text.slice(0, 300);
  place.classList.add("seen");
  clearTimeout(timer);
  timer = window.setTimeout(() => place.classList.remove("seen"), TOAST_MS);
}
