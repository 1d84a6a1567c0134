import { call, Refused, type Session } from "./client.ts";
import { h } from "./dom.ts";
import { say } from "./texts.ts";

/** Resolves once the person is signed in; a personal link does that by itself. */
export async function signIn(into: HTMLElement): Promise<string> {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  let complaint = "";
  if (key) {
    // The key must not stay where others look, nor in what is shared.
    history.replaceState(undefined, "", location.pathname + location.search);
    try {
      return (await call<{ user: string }>("POST", "session", { key })).user;
    } catch (error) {
      complaint = told(error);
    }
  }
  const session = await until(() => call<Session>("GET", "session"));
  if (session.user !== undefined && !complaint) return session.user;
  return new Promise((resolve) => into.replaceChildren(form(session, complaint, resolve)));
}

function form({ signIn, names = [] }: Session, complaint: string, done: (user: string) => void): HTMLElement {
  const problem = h("p", { class: "problem", role: "alert" }, complaint);
  if (signIn !== "name")
    return h(
      "main",
      { class: "sign-in" },
      h("h1", {}, "Colloquy"),
      problem,
      h("p", {}, say(signIn === "address" ? "signInAddress" : "signInLink")),
    );
  const name = h("input", {
    name: "name",
    autocomplete: "username",
    maxLength: 64,
    required: true,
    id: "name",
  });
  const pick = async (picked: string) => {
    try {
      done((await call<{ user: string }>("POST", "session", { name: picked })).user);
    } catch (error) {
      problem.textContent = told(error);
    }
  };
  return h(
    "main",
    { class: "sign-in" },
    h("h1", {}, say("signInTitle")),
    problem,
    h(
      "form",
      {
        onsubmit: (event: Event) => {
          event.preventDefault();
          void pick(name.value);
        },
      },
      h("label", { htmlFor: "name" }, say("signInName")),
      name,
      h("button", { class: "main" }, say("signInGo")),
    ),
    names.length > 0 && h("p", {}, say("signInKnown")),
    names.length > 0 &&
      h(
        "p",
        { class: "names" },
        ...names.map((one) => h("button", { type: "button", onclick: () => void pick(one) }, one)),
      ),
  );
}

/** What a refusal says, for people. */
export function told(error: unknown): string {
  if (error instanceof Refused && error.status !== 0) return error.message;
  return say("unreachable");
}

/** Again and again, while the server cannot be reached. */
async function until<Value>(action: () => Promise<Value>): Promise<Value> {
  for (;;) {
    try {
      return await action();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}
