/** What may never come out: passwords within URLs, and known secrets in whatever form. */

/** Parameters of a URL that hold secrets. */
const PARAMETER =
  "(?:access_?token|api_?key|auth|key|pass|passwd|password|pwd|secret|session|sig|sign|signature|sslpassword|ticket|token)";
/** In a URL alone, and among other words. */
const IN_URL = new RegExp(`[?&#]${PARAMETER}=([^&#]+)`, "gi");
const PARAMETERS = new RegExp(`([?&#]${PARAMETER}=)([^&#\\s"'<>\\\\]+)`, "gi");

/** User and password of a URL; it begins behind the scheme, so that long words cost nothing. */
const CREDENTIALS = /:\/\/([^\s/?#@:"'<>\\]*):([^\s/?#"'<>\\]*)@/g;

/** Shorter ones are left alone: they would hit innocent words. */
const MIN_LENGTH = 6;

const HIDDEN = "[secret]";

/**
 * The passwords and tokens in a URL as they are written and, if that differs, as they are meant. It may be one that no
 * parser takes, as people forget to encode what they should: then all that could be meant is returned.
 */
export function passwordsIn(url: string): string[] {
  // Names of files have none, whatever stands in them.
  if (/^(sqlite|memory):/.test(url)) return [];
  const [, rest = ""] = /^(?:[^/?#]*:)?\/\/(.*)$/s.exec(url) ?? [undefined, url];
  const parsed = URL.canParse(url) ? new URL(url).password : "";
  // Up to the first @ and up to the last one.
  const written = [/^[^:]*:(.+)@/s, /^[^:@]*:([^@]+)@/s].map((pattern) => pattern.exec(rest)?.[1] ?? "");
  const parameters = [...url.matchAll(IN_URL)].map(([, value = ""]) => value);
  const all = [...written, parsed, ...parameters];
  return [...new Set(all.flatMap((one) => [one, decoded(one)]))].filter(Boolean);
}

/** The text without the secrets, in whichever form they stand there, and without the passwords of URLs. */
export function scrub(text: string, secrets: readonly string[]): string {
  return createScrubber(secrets)(text);
}

/** `scrub` for many texts. */
export function createScrubber(secrets: readonly string[]): (text: string) => string {
  const forms = [...new Set(secrets.filter((secret) => secret.length >= MIN_LENGTH).flatMap(formsOf))];
  // One may be a part of another.
  forms.sort((a, b) => b.length - a.length);
  return (text) =>
    forms
      .reduce((clean, form) => clean.replaceAll(form, HIDDEN), text)
      .replace(CREDENTIALS, `://$1:${HIDDEN}@`)
      .replace(PARAMETERS, `$1${HIDDEN}`);
}

/** As it is, as URLs have it, as JSON has it, and as HTTP's headers have it. */
function formsOf(secret: string): string[] {
  const meant = [...new Set([secret, decoded(secret)])];
  const encoded = meant.flatMap((one) => [one, encodeURIComponent(wellFormed(one)), inUrl(one)]);
  const inJson = encoded.map((one) => JSON.stringify(one).slice(1, -1));
  // A line of JSON within a line of JSON, such as what a service has answered.
  return [...encoded, ...inJson, ...inJson.map((one) => JSON.stringify(one).slice(1, -1))];
}

/** As the parser of URLs writes it. */
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
