import type { Span } from "../block.ts";

/** A link, with its host behind it if its text names another one: people go by what they read. */
export function withDestination(link: Span[], href: string | undefined): Span[] {
  const host = href && hiddenDestination(link.map(({ text }) => text).join(""), href);
  return host ? [...link, { text: ` (${host})`, destination: true }] : link;
}

/**
 * Where an address leads if a text looks as if it led elsewhere: the host, or the person whom a mail goes to. Undefined
 * for what names nothing, or the same. Other addresses than those of the web and of mail are links nowhere.
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

/** `README.md` is a domain in Moldova, but not where the address ends in it. Elsewhere such names are rarely files. */
function isFileAt(name: string, path: string): boolean {
  return /\.(?:md|py|sh)$/.test(name) && path.toLowerCase().endsWith(`/${name}`);
}

/** A host, and the mail address that it stands in. */
interface Named {
  readonly host: string;
  readonly address?: string;
}

/** What a text names: in `https://bank.example@evil.example/x` both, as the eye takes the first for the host. */
function namesIn(text: string): Named[] {
  return plain(text)
    .split(/[\s()<>[\]{}"'“”‘’«»「」,;!|，。；！]+/u)
    .flatMap((word) => {
      const [scheme] = /^mailto:|^(?:[a-z][a-z\d+.-]*:)?[\\/]{2,}/.exec(word) ?? [];
      const [authority = ""] = word.slice(scheme?.length ?? 0).split(/[\\/?#]/, 1);
      const hosts = (authority.match(/[\p{L}\p{M}\p{N}_.-]+/gu) ?? [])
        .map((name) => name.replace(/^[.-]+|(?<![.-])[.-]+$/g, ""))
        .filter((name) => isDomain(name));
      // Behind a scheme there is a host in any case, be it a number or without a dot.
      const isMail = !scheme || scheme === "mailto:";
      if (!isMail) hosts.push(authority.replace(/^.*@|:\d*$/g, ""));
      const address = isMail && /^[^@]+@[^@]+$/.test(authority) ? { address: authority } : {};
      return hosts.filter(Boolean).map((host) => ({ host: hostOf(host), ...address }));
    });
}

/** Without what is not seen, and with one form for characters that look alike because they are the same. */
function plain(text: string): string {
  return text
    .normalize("NFKC")
    .replace(/\p{Default_Ignorable_Code_Point}/gu, "")
    .toLowerCase()
    .replace(/(?<=[a-z\d])。(?=[a-z\d])/g, ".");
}

/** As a browser has it, with or without the `www.` that leads to the same place. */
function hostOf(name: string): string {
  const host = URL.canParse(`http://${name}`) ? new URL(`http://${name}`).hostname : name;
  return host.replace(/^www\.|\.$/g, "");
}

/** A country's domain, one beyond ASCII, or one of those under which people meet names. */
function isDomain(name: string): boolean {
  const labels = name.split(".");
  const last = labels.at(-1) ?? "";
  if (labels.length < 2 || labels.includes("")) return false;
  return labels[0] === "www" || /^xn--|^[^\x00-\x7f]{2,}$/.test(last) || COUNTRY.test(last) || TOP.has(last);
}

/** https://www.iana.org/domains/root/db: with other letters these would be file names, such as `index.js`. */
const COUNTRY =
  /^(?:a[cdefgilmoqrstuwxz]|b[abdefghijmnorstvwyz]|c[acdfghiklmnoruvwxyz]|d[ejkmoz]|e[cegrstu]|f[ijkmor]|g[abdefghilmnpqrstuwy]|h[kmnrtu]|i[delmnoqrst]|j[emop]|k[eghimnprwyz]|l[abcikrstuvy]|m[acdeghklmnopqrstuvwxyz]|n[acefgilopruz]|om|p[aefghklmnrstwy]|qa|r[eosuw]|s[abcdeghijklmnorstuvxyz]|t[cdfghjklmnortvwz]|u[agksyz]|v[aceginu]|w[fs]|y[et]|z[amw])$/;

/** Not all there are: `console.log` and `Array.from` are no domains, though many words are one by now. */
const TOP: ReadonlySet<string> = new Set(
  `com net org edu gov mil int info biz pro app dev site online store shop tech cloud xyz top club vip live news blog
  wiki email bank finance money cash loan loans fund exchange group center support services digital network systems
  solutions agency media social download software games website space icu fun asia aero coop museum mobi xxx zip mov
  example`.split(/\s+/),
);
