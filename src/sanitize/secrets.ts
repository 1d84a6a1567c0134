/** Removes secrets from text: passwords in URLs, and known secrets in all their encodings. */

/** URL parameters that hold secrets. */
const PARAMETER =
  "(?:access_?token|api_?key|auth|key|pass|passwd|password|pwd|secret|session|sig|sign|signature|sslpassword|ticket|token)";
/** Such a parameter in a URL, and in any text. */
const IN_URL = new RegExp(`[?&#]${PARAMETER}=([^&#]+)`, "gi");
const PARAMETERS = new RegExp(`([?&#]${PARAMETER}=)([^&#\\s"'<>\\\\]+)`, "gi");

/** The user name and password of a URL. The pattern begins after the scheme, so that long words cost nothing. */
const CREDENTIALS = /:\/\/([^\s/?#@:"'<>\\]*):([^\s/?#"'<>\\]*)@/g;

/** Shorter secrets are not replaced, because they would match innocent words. */
const MIN_LENGTH = 6;

const HIDDEN = "[secret]";

/**
 * Returns the passwords and tokens in a URL, as written and decoded. The URL may be invalid, because people forget to
 * encode special characters; then everything that may be the password is returned.
 */
export function passwordsIn(url: string): string[] {
  // The path of a file contains no password.
  if (/^(sqlite|memory):/.test(url)) return [];
  const [, rest = ""] = /^(?:[^/?#]*:)?\/\/(.*)$/s.exec(url) ?? [undefined, url];
  const parsed = URL.canParse(url) ? new URL(url).password : "";
  // An unencoded password may contain @ or a colon: up to the last @, and up to the first one.
  const written = [/^[^:]*:(.+)@/s, /^[^:@]*:([^@]+)@/s].map((pattern) => pattern.exec(rest)?.[1] ?? "");
  const parameters = [...url.matchAll(IN_URL)].map(([, value = ""]) => value);
  const all = [...written, parsed, ...parameters];
  return [...new Set(all.flatMap((one) => [one, decoded(one)]))].filter(Boolean);
}

/** Replaces secrets in a text, in all their encodings, and the passwords of URLs. */
export function scrub(text: string, secrets: readonly string[]): string {
  return createScrubber(secrets)(text);
}

/** Prepares `scrub` for many texts. */
export function createScrubber(secrets: readonly string[]): (text: string) => string {
  const forms = [...new Set(secrets.filter((secret) => secret.length >= MIN_LENGTH).flatMap(formsOf))];
  // The longest first, because one may be part of another.
  forms.sort((a, b) => b.length - a.length);
  return (text) =>
    forms
      .reduce((clean, form) => clean.replaceAll(form, HIDDEN), text)
      .replace(CREDENTIALS, `://$1:${HIDDEN}@`)
      .replace(PARAMETERS, `$1${HIDDEN}`);
}

/** A secret as it is, and in the encodings of URLs and JSON. */
function formsOf(secret: string): string[] {
  const meant = [...new Set([secret, decoded(secret)])];
  const encoded = meant.flatMap((one) => [one, encodeURIComponent(wellFormed(one)), inUrl(one)]);
  const inJson = encoded.map((one) => JSON.stringify(one).slice(1, -1));
  // JSON nested in JSON, such as a logged response of a service.
  return [...encoded, ...inJson, ...inJson.map((one) => JSON.stringify(one).slice(1, -1))];
}

/** The password as the URL parser encodes it. */
function inUrl(password: string): string {
  const url = new URL("http://host");
  url.username = "user";
  url.password = password;
  return url.password;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\uFFFD");
}
