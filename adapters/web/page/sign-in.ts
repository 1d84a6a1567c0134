import { call, Refused, type Session } from "./client.ts";
import { h } from "./dom.ts";
import { say } from "./texts.ts";

/** The key of a personal link, as long as it stands in the address. */
export function keyInAddress(): string | null {
  return new URLSearchParams(location.hash.slice(1)).get("key");
}

/** Resolves once the person is signed in; a personal link does that by itself. */
export async function signIn(into: HTMLElement): Promise<string> {
  const key = keyInAddress();
  let complaint = "";
  if (key) {
    // The key must not stay where others look, nor in what is shared.
    history.replaceState(undefined, "", location.pathname + location.search);
    try {
      return await enter(into, { key });
    } catch (error) {
      complaint = told(error);
    }
  }
  const session = await until(() => call<Session>("GET", "session"));
  if (session.user !== undefined && !complaint) return session.user;
  return new Promise((resolve) => into.replaceChildren(form(into, { session, complaint }, resolve)));
}

type Given = { readonly key: string } | { readonly name: string };

/** Signs in; where somebody else is signed in the person is asked first. Resolves with who is signed in then. */
async function enter(into: HTMLElement, given: Given): Promise<string> {
  try {
    return (await call<{ user: string }>("POST", "session", given)).user;
  } catch (error) {
    const { user, other } = error instanceof Refused && error.status === 409 ? error.answer : {};
    if (user === undefined || other === undefined) throw error;
    if (!(await wantsToSwitch(into, user, other))) return user;
    return (await call<{ user: string }>("POST", "session", { ...given, switch: true })).user;
  }
}

/** An attacker may send somebody a link of the attacker's own, and hope that they go on writing in that account. */
function wantsToSwitch(into: HTMLElement, user: string, other: string): Promise<boolean> {
  return new Promise((resolve) => {
    const stay = h(
      "button",
      { class: "main", type: "button", onclick: () => resolve(false) },
      say("stayAs", { user }),
    );
    const leave = h("button", { type: "button", onclick: () => resolve(true) }, say("switchTo", { other }));
    into.replaceChildren(
      h(
        "main",
        { class: "sign-in" },
        h("h1", {}, say("switchTitle")),
        h("p", { dir: "auto" }, say("switchSure", { user, other })),
        h("p", { class: "names" }, stay, leave),
      ),
    );
    stay.focus();
  });
}

interface Shown {
  readonly session: Session;
  readonly complaint: string;
}

function form(into: HTMLElement, { session, complaint }: Shown, done: (user: string) => void): HTMLElement {
  const { user, signIn, names = [] } = session;
  const problem = h("p", { class: "problem", role: "alert" }, complaint);
  if (user !== undefined) {
    const stay = h(
      "button",
      { class: "main", type: "button", onclick: () => done(user) },
      say("stayAs", { user }),
    );
    return h("main", { class: "sign-in" }, h("h1", {}, "Colloquy"), problem, stay);
  }
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
      done(await enter(into, { name: picked }));
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
  if (!(error instanceof Refused) || error.status === 0) return say("unreachable");
  return error.status === 413 ? say("tooMuch") : error.message;
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
