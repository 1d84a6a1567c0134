import { randomUUID } from "node:crypto";
import { readHtml } from "../adapters/web/html.ts";

/** People at the web chat, as browsers: signed in by personal links, one conversation each, looking as long as somebody asks what they see. */
export interface WebPeople {
  /** Says something, again and again until it is taken in. */
  say(person: string, text: string): Promise<void>;
  /** The bot's texts that this person sees. */
  shows(person: string): readonly string[];
  close(): void;
}

/** How often they check, in ms. */
const LOOK_EVERY_MS = 100;

interface Person {
  readonly thread: string;
  readonly cookie: Promise<string>;
  seen: readonly string[];
  /** Somebody has asked since the last look. */
  isAsked: boolean;
  /** What ended the looking. */
  failure?: unknown;
}

interface Shown {
  readonly turns: readonly { readonly pieces: readonly { readonly html: string }[] }[];
}

/**
 * `url` is asked with each request: a program that is started again may be elsewhere. `keyOf` makes the key of a person's
 * link, before they do anything.
 */
export function createWebPeople(url: () => string, keyOf: (name: string) => Promise<string>): WebPeople {
  const people = new Map<string, Person>();
  let closed = false;

  return {
    say: async (person, text) => {
      const { thread, cookie } = find(person);
      const message = { id: randomUUID(), text };
      await request(`conversations/${thread}/messages`, await cookie, message);
    },
    shows: (name) => {
      const person = find(name);
      if (person.failure) throw person.failure;
      person.isAsked = true;
      return person.seen;
    },
    close: () => (closed = true),
  };

  function find(name: string): Person {
    const known = people.get(name);
    if (known) return known;
    const person: Person = { thread: "main", cookie: signIn(name), seen: [], isAsked: true };
    people.set(name, person);
    look(person).catch((error: unknown) => (person.failure = error));
    return person;
  }

  async function signIn(name: string): Promise<string> {
    const response = await request("session", "", { key: await keyOf(name) });
    return response.headers.get("set-cookie")?.split(";")[0] ?? "";
  }

  async function look(person: Person): Promise<void> {
    while (!closed) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      if (!person.isAsked) continue;
      person.isAsked = false;
      const response = await request(`conversations/${person.thread}`, await person.cookie);
      const { turns } = (await response.json()) as Shown;
      person.seen = turns.flatMap(({ pieces }) => pieces.map(({ html }) => readHtml(html)));
    }
  }

  /** A server that is down comes back, as far as a browser knows. */
  async function request(path: string, cookie: string, body?: object): Promise<Response> {
    for (;;) {
      const response = await fetch(`${url()}/api/${path}`, {
        headers: { cookie, ...(body && { "content-type": "application/json" }) },
        ...(body && { method: "POST", body: JSON.stringify(body) }),
      }).catch(() => undefined);
      if (response?.ok) return response;
      if (closed) return Response.json({ turns: [] });
      if (response && response.status < 500) throw new Error(`${response.status} ${await response.text()}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }
}
