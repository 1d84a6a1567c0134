import type { Span } from "../block.ts";

/** Appends the host to a link whose text names another one, because readers trust the text. */
export function withDestination(link: Span[], href: string | undefined): Span[] {
  const host = href && hiddenDestination(link.map(({ text }) => text).join(""), href);
  return host ? [...link, { text: ` (${host})`, destination: true }] : link;
}

/**
 * The true destination of an address, if its text names another one: the host or, for mail, the recipient. Undefined if
 * the text names none or the same one. Only addresses of the web and of mail are checked: no platform links others.
 */
export function hiddenDestination(text: string, href: string): string | undefined {
  const found = /^(?:https?|mailto):/i.test(href) && URL.canParse(href) ? new URL(href) : undefined;
  if (!found) return undefined;
  const to = found.protocol === "mailto:" ? found.pathname : found.host;
  const isElsewhere = namesIn(text).some(({ host, address }) =>
    found.protocol === "mailto:"
      ? address !== to.toLowerCase() && (address !== undefined || host !== hostOf(to.replace(/^.*@/, "")))
      : host !== hostOf(found.hostname) && !isFileAt(host, found.pathname),
  );
  return isElsewhere ? to : undefined;
}

/** `README.md` could be a domain in Moldova, but if the address ends in it, it is a file. */
function isFileAt(name: string, path: string): boolean {
  return /\.(?:md|py|sh)$/.test(name) && path.toLowerCase().endsWith(`/${name}`);
}

/** A host, and the mail address that contains it. */
interface Named {
  readonly host: string;
  readonly address?: string;
}

/**
 * The hosts that a text names. In `https://bank.example@evil.example/x` these are both, as readers take the first for
 * the host.
 */
function namesIn(text: string): Named[] {
  return plain(text)
    .split(/[\s()<>[\]{}"'“”‘’«»「」,;!|，。；！]+/u)
    .flatMap((word) => {
      const [scheme] = /^mailto:|^(?:[a-z][a-z\d+.-]*:)?[\\/]{2,}/.exec(word) ?? [];
      const [authority = ""] = word.slice(scheme?.length ?? 0).split(/[\\/?#]/, 1);
      const hosts = (authority.match(/[\p{L}\p{M}\p{N}_.-]+/gu) ?? [])
        .map((name) => name.replace(/^[.-]+|(?<![.-])[.-]+$/g, ""))
        .filter((name) => isDomain(name));
      // After a scheme there is always a host, even if it is a number or has no dot.
      const isMail = !scheme || scheme === "mailto:";
      if (!isMail) hosts.push(authority.replace(/^.*@|:\d*$/g, ""));
      const address = isMail && /^[^@]+@[^@]+$/.test(authority) ? { address: authority } : {};
      return hosts.filter(Boolean).map((host) => ({ host: hostOf(host), ...address }));
    });
}

/** The text without invisible characters, and with compatibility forms of characters replaced. */
function plain(text: string): string {
  return text
    .normalize("NFKC")
    .replace(/\p{Default_Ignorable_Code_Point}/gu, "")
    .toLowerCase()
    .replace(/(?<=[a-z\d])。(?=[a-z\d])/g, ".");
}

/** The host as a browser normalizes it, without `www.`, which usually leads to the same site. */
function hostOf(name: string): string {
  const host = URL.canParse(`http://${name}`) ? new URL(`http://${name}`).hostname : name;
  return host.replace(/^www\.|\.$/g, "");
}

/** Whether a name is a domain: under a country, a top-level domain in another script, or a well-known generic one. */
function isDomain(name: string): boolean {
  const labels = name.split(".");
  const last = labels.at(-1) ?? "";
  if (labels.length < 2 || labels.includes("")) return false;
  return labels[0] === "www" || /^xn--|^[^\x00-\x7f]{2,}$/.test(last) || COUNTRY.test(last) || TOP.has(last);
}

/**
 * Country domains, from https://www.iana.org/domains/root/db; any other two letters may be a file name, such as
 * `index.js`.
 */
const COUNTRY =
  /^(?:a[cdefgilmoqrstuwxz]|b[abdefghijmnorstvwyz]|c[acdfghiklmnoruvwxyz]|d[ejkmoz]|e[cegrstu]|f[ijkmor]|g[abdefghilmnpqrstuwy]|h[kmnrtu]|i[delmnoqrst]|j[emop]|k[eghimnprwyz]|l[abcikrstuvy]|m[acdeghklmnopqrstuvwxyz]|n[acefgilopruz]|om|p[aefghklmnrstwy]|qa|r[eosuw]|s[abcdeghijklmnorstuvxyz]|t[cdfghjklmnortvwz]|u[agksyz]|v[aceginu]|w[fs]|y[et]|z[amw])$/;

/** Not all generic domains: many words are one by now, but `console.log` and `Array.from` are code. */
const TOP: ReadonlySet<string> = new Set(
  `com net org edu gov mil int info biz pro app dev site online store shop tech cloud xyz top club vip live news blog
  wiki email bank finance money cash loan loans fund exchange group center support services digital network systems
  solutions agency media social download software games website space icu fun asia aero coop museum mobi xxx zip mov
  example`.split(/\s+/),
);
