import { accountFooter } from "./account.ts";
import { createChat } from "./chat.ts";
import { call, type Me, setUser, type Update } from "./client.ts";
import { h, iconButton } from "./dom.ts";
import { offerExport } from "./export.ts";
import { follow } from "./follow.ts";
import { createSidebar } from "./sidebar.ts";
import { describeError, keyInAddress, signIn } from "./sign-in.ts";
import { locale, say } from "./texts.ts";

/** How long a notice is shown, in ms. */
const NOTICE_MS = 10_000;

document.documentElement.lang = locale();
document.documentElement.dataset["theme"] = localStorage.getItem("theme") ?? "auto";
const app = h("div", { id: "app" });
document.body.append(app);
void begin();

async function begin(): Promise<void> {
  setUser(await signIn(app));
  const me = await call<Me>("GET", "me");
  const notice = h("p", { class: "notice", role: "alert", hidden: true, onclick: () => notify("") });
  let noticeTimer = 0;
  const failed = (error: unknown) => notify(say("failed", { why: describeError(error) }));
  const menu = iconButton("menu", say("menu"), () => app.classList.toggle("with-sidebar"));
  const chat = createChat({ me, failed, notify, menu, onExport: (thread) => offerExport(thread, failed) });
  const sidebar = createSidebar({
    open,
    begin: () => open(crypto.randomUUID()),
    failed,
    footer: accountFooter(me, failed),
  });
  app.replaceChildren(sidebar.element, chat.element, notice);
  onhashchange = () => (keyInAddress() ? location.reload() : open(threadInAddress()));
  open(threadInAddress());
  follow({
    receive,
    gap: () => void Promise.all([sidebar.refresh(), chat.refresh()]).catch(failed),
    connected: (is) => (is ? notify("") : notify(say("offline"), { stays: true })),
    signedOut: () => location.reload(),
  });
  await sidebar.refresh().catch(failed);

  function open(thread: string): void {
    app.classList.remove("with-sidebar");
    sidebar.select(thread);
    if (thread === chat.thread) return;
    history.replaceState(undefined, "", `#c=${thread}`);
    void chat.open(thread).catch(failed);
  }

  function receive(update: Update, position: string): void {
    sidebar.receive(update);
    if (update.kind === "deleted" && update.thread === chat.thread) open(crypto.randomUUID());
    chat.receive(update, position);
  }

  /** Shows a notice until it is clicked, or, unless it `stays`, for a while. An empty text hides the notice. */
  function notify(text: string, { stays = false } = {}): void {
    clearTimeout(noticeTimer);
    notice.hidden = !text;
    notice.textContent = text;
    if (text && !stays) noticeTimer = window.setTimeout(() => notify(""), NOTICE_MS);
  }
}

/** The conversation in the address, or the name of a new one. */
function threadInAddress(): string {
  const found = new URLSearchParams(location.hash.slice(1)).get("c") ?? "";
  return /^[\w-]{1,40}$/.test(found) ? found : crypto.randomUUID();
}
