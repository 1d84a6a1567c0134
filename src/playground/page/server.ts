import type { News, Wish } from "../protocol.ts";
import { byId } from "./dom.ts";
import { locale, texts } from "./texts.ts";

/** Sends a request to the server; a refusal is shown to the user. */
export async function wish(what: Wish): Promise<void> {
  const response = await fetch("playground/wish", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ locale, wish: what }),
  }).catch(() => undefined);
  if (response?.ok) return;
  const answer: unknown = await response?.json().catch(() => undefined);
  const error = typeof answer === "object" && answer && "error" in answer ? String(answer.error) : texts.lost;
  toast(texts.failed + error);
}

/** Subscribes to what the server sends; `lost` is called when the connection is lost. */
export function subscribe(receive: (news: News) => void, lost: () => void): void {
  const source = new EventSource("playground/events");
  source.addEventListener("message", ({ data }: MessageEvent<string>) => receive(JSON.parse(data) as News));
  source.addEventListener("error", lost);
}

/** How long a message is shown, in ms. */
const TOAST_MS = 6000;
let timer = 0;

function toast(text: string): void {
  const element = byId("toast");
  element.textContent = text.slice(0, 300);
  element.classList.add("seen");
  clearTimeout(timer);
  timer = window.setTimeout(() => element.classList.remove("seen"), TOAST_MS);
}
