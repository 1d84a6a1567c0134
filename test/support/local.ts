import { createAccounts } from "../../adapters/web/index.ts";
import { openStore } from "../../src/store/store.ts";
import { openRecordStore } from "../../src/program/web-chat.ts";

/** Signs in by name as the operator does: `link` is the address with the token. Resolves with the session's cookie. */
export async function signInByName(link: string, name: string): Promise<string> {
  const response = await fetchAt(link, "api/session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name }),
  });
  return response.headers.get("set-cookie")?.split(";")[0] ?? "";
}

/** Makes personal links for people of a program, which may run meanwhile: each call resolves with a new key. */
export function createKeys(storeUrl: string): (name: string) => Promise<string> {
  return async (name) => {
    const store = await openStore(storeUrl);
    try {
      return await createAccounts(await openRecordStore(store)).add(name, "link");
    } finally {
      await store.close();
    }
  };
}

/** The address with the token that a program has printed behind these words; empty if it has not. */
export function linkIn(program: { errors(): string }, words: string): string {
  return new RegExp(`${words}(\\S+\\?token=\\S+)`).exec(program.errors())?.[1] ?? "";
}

/** What a program has printed to standard error beside the addresses with its token. */
export function otherErrors(program: { errors(): string }): string {
  return program.errors().replace(/^.*\?token=.*\n/gm, "");
}

/** A request as the operator at this machine makes it: `link` is an address with the token, `path` stands below it. */
export function fetchAt(
  link: string,
  path: string,
  { headers, ...init }: RequestInit = {},
): Promise<Response> {
  const url = new URL(link);
  const token = url.searchParams.get("token") ?? "";
  url.search = "";
  return fetch(`${url.href}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${token}`, ...(headers as Record<string, string>) },
  });
}
