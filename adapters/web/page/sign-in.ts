import { call, Refused, type Session } from "./client.ts";
import { h } from "./dom.ts";
import { say } from "./texts.ts";

/** The key of a personal link in the address; null if there is none. */
export function keyInAddress(): string | null {
  return new URLSearchParams(location.hash.slice(1)).get("key");
}

/** Signs the user in: by the personal link in the address, or by a form. Resolves with the name of the user. */
export async function signIn(into: HTMLElement): Promise<string> {
  const key = keyInAddress();
  let complaint = "";
  if (key) {
    // The key must not stay in the address, where others may see it or where it may be shared.
    history.replaceState(undefined, "", location.pathname + location.search);
    try {
      return await enter(into, { key });
    } catch (error) {
      complaint = describeError(error);
    }
  }
  const session = await retryUntilDone(() => call<Session>("GET", "session"));
  if (session.user !== undefined && !complaint) return session.user;
  return new Promise((resolve) => into.replaceChildren(form(into, { session, complaint }, resolve)));
}

type Given = { readonly key: string } | { readonly name: string };

/** Signs in, and asks before switching to another account. Resolves with the user who is signed in afterwards. */
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

/** An attacker may send a user the attacker's own link and hope that the user goes on writing in that account. */
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

interface FormState {
  readonly session: Session;
  readonly complaint: string;
}

function form(
  into: HTMLElement,
  { session, complaint }: FormState,
  done: (user: string) => void,
): HTMLElement {
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
      problem.textContent = describeError(error);
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

/** Describes an error to the user. */
export function describeError(error: unknown): string {
  if (!(error instanceof Refused) || error.status === 0) return say("unreachable");
  return error.status === 413 ? say("tooMuch") : error.message;
}

/** Repeats an action until it succeeds, while the server cannot be reached. */
async function retryUntilDone<Value>(action: () => Promise<Value>): Promise<Value> {
  for (;;) {
    try {
      return await action();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}
