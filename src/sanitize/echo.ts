/** Replaces text that is left out. */
const GAP = "…";

/** How much of an error message is read, in UTF-16 units; each of its words is searched for in the whole request. */
const MAX_MESSAGE = 1000;

/** A word with more UTF-16 units than this is not readable text, but an image, a key or encoded data. */
const MAX_WORD = 40;

/** This many words in the same order in both texts are a quotation, even if all of them are common. */
const QUOTATION = { bare: 4, inQuotes: 2 } as const;

const WORD = /[\p{L}\p{M}\p{N}]+/gu;

/**
 * Removes from an error message what it repeats of the request: services often quote the request, which must not get
 * into a log. Words that occur in the request, whole or in part, are removed unless they are common in errors; so are
 * quotations and encoded text. Model names, fields and limits remain, because they are not part of what was sent. A
 * service that paraphrases the request cannot be recognized.
 */
export function withoutEcho(message: string, request: string): string {
  const text = readable(message.slice(0, MAX_MESSAGE));
  const source = sourceOf(request);
  const found = [...text.matchAll(WORD)].map((match) => ({ word: match[0], at: match.index }));
  const quoted = quotations(
    found.map(({ word }) => word.toLowerCase()),
    quotesIn(text, found),
    source,
  );
  let clean = "";
  let end = 0;
  for (const [index, { word, at }] of found.entries()) {
    clean += text.slice(end, at) + (quoted.has(index) ? GAP : withoutShared(word, source));
    end = at + word.length;
  }
  return joined(clean + text.slice(end));
}

/** Keeps only common words: for messages that may repeat unknown text, such as that of a withheld answer. */
export function onlyCommon(message: string): string {
  const text = readable(message.slice(0, MAX_MESSAGE));
  return joined(text.replace(WORD, (word) => (COMMON.has(word.toLowerCase()) ? word : GAP)));
}

function joined(text: string): string {
  return text.replace(/…(?:[^\p{L}\p{N}]*…)+/gu, GAP);
}

/** All strings in a value that was sent, at any depth. */
export function textsIn(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return "";
  return Object.values(value).map(textsIn).filter(Boolean).join("\n");
}

/** The text that was sent, prepared for searching. */
interface Source {
  readonly text: string;
  /** Its words, each between two spaces. */
  readonly words: string;
  /** The words that are long enough to be recognized inside other words. */
  readonly marked: ReadonlySet<string>;
}

/** The minimum length of such words, in UTF-16 units; shorter ones occur in others by chance. */
const MIN_MARKED = 6;

function sourceOf(request: string): Source {
  const text = plain(request).toLowerCase();
  const words = text.match(WORD) ?? [];
  const marked = words.filter((word) => word.length >= MIN_MARKED && !COMMON.has(word));
  return { text, words: ` ${words.join(" ")} `, marked: new Set(marked) };
}

function plain(text: string): string {
  return text.normalize("NFKC").replace(/\p{Default_Ignorable_Code_Point}/gu, "");
}

/** The text without encoded parts, in which no word would be found. */
function readable(message: string): string {
  return plain(message)
    .replace(/data:[\w/+.-]*[;,]\S*/gi, GAP)
    .replace(/(?:\\u[\da-f]{0,4}|\\x[\da-f]{0,2}|%[\da-f]{2}|&#?\w{1,8};)+/gi, GAP)
    .replace(/\\[nrtbf]/g, " ")
    .replace(new RegExp(`[\\w+/=-]{${MAX_WORD + 1},}`, "g"), GAP);
}

/** Which words are between quotation marks; a name such as 'messages[0].content' is no quotation. */
function quotesIn(text: string, found: readonly { at: number }[]): readonly boolean[] {
  const passages = [
    ...text.matchAll(
      // oxlint-disable-next-line regexp/no-super-linear-move -- an open quotation extends to the end: nothing is tried twice
      /"[^"]*(?:"|$)|“[^”]*(?:”|$)|«[^»]*(?:»|$)|「[^」]*(?:」|$)|`[^`]*(?:`|$)|(?<![\p{L}\p{N}])'(?:[^']|(?<=\p{L})'(?=\p{L}))*(?:'|$)/gu,
    ),
  ].filter(([passage]) => !/^.[\w.[\]-]+.$/.test(passage));
  return found.map(({ at }) =>
    passages.some(({ 0: passage, index }) => index < at && at < index + passage.length),
  );
}

/**
 * The indexes of words that belong to a run of the same words in the request; the last word of a run may be cut off.
 */
function quotations(
  words: readonly string[],
  inQuotes: readonly boolean[],
  source: Source,
): ReadonlySet<number> {
  const quoted = new Set<number>();
  for (const start of words.keys()) {
    const end = start + (inQuotes[start] ? QUOTATION.inQuotes : QUOTATION.bare);
    const isQuoted = end <= words.length && source.words.includes(` ${words.slice(start, end).join(" ")}`);
    if (isQuoted) for (let index = start; index < end; index += 1) quoted.add(index);
  }
  return quoted;
}

function withoutShared(word: string, { text, words, marked }: Source): string {
  const small = word.toLowerCase();
  if (COMMON.has(small)) return word;
  if (/^\d{1,3}$/.test(small)) return words.includes(` ${small} `) ? GAP : word;
  if (text.includes(small) || holdsAny(small, marked)) return GAP;
  return /^[\p{Script=Latin}\p{N}]+$/u.test(word) ? word : withoutSharedParts(word, text);
}

function holdsAny(word: string, marked: ReadonlySet<string>): boolean {
  for (let start = 0; start + MIN_MARKED <= word.length; start += 1)
    for (let end = start + MIN_MARKED; end <= Math.min(word.length, start + MAX_WORD); end += 1)
      if (marked.has(word.slice(start, end))) return true;
  return false;
}

/**
 * For scripts without spaces, such as Chinese: removes all runs of two or more characters that occur in the request.
 */
function withoutSharedParts(word: string, text: string): string {
  const characters = Array.from(word);
  const isShared = characters.map((character, at) => text.includes(character + (characters[at + 1] ?? "")));
  return characters
    .map((character, at) =>
      (isShared[at] && at + 1 < characters.length) || isShared[at - 1] ? GAP : character,
    )
    .join("");
}

/** Words that occur in errors of any kind. */
const COMMON: ReadonlySet<string> = new Set(
  `a an the this that these those it its is are was were be been being has have had do does did not no and or but if
  then so as at by for from in into of on to up with without within out over under after before while until via per
  each all any some only other another same such more most less least than too i you your we our us they their my s t
  can cannot could may might must should will would need needs please try trying again later wait second seconds minute
  minutes error errors invalid valid unknown unrecognized unsupported supported support supports unexpected expected
  missing required requires allowed accepted rejected refused denied failed failure bad wrong incorrect malformed
  exceeded exceeds exceed maximum minimum max min limit limits length size large long short number value values field
  fields parameter parameters param argument arguments option options type types format string integer boolean object
  array list null none empty true false default request requests response input inputs output outputs message messages
  content role system user assistant tool tools function name image images audio file files text prompt completion
  completions chat context window token tokens character characters model models deployment key keys api url endpoint
  path method version header headers body json schema stream streaming temperature server service internal timeout time
  timed connection network gateway upstream proxy overloaded busy capacity unavailable available temporarily rate quota
  billing credit balance account organization project plan usage access permission unauthorized authentication
  forbidden exist exists found policy filter filtered safety violation violates blocked flagged inappropriate sensitive
  moderation management risk reduce provided given received resulted however instead use using used see check contact
  documentation help http https code status chat_id entity entities tag parse entities start end offset byte bytes reply
  markup button buttons channel form between fewer bot group supergroup chat kicked member upgraded deactivated enough
  rights send edit edited delete deleted modified webhook conflict many resource user
  processing provider returned disconnected closed stopped crashed memory gpu sorry about generate generation unsafe`.split(
    /\s+/,
  ),
);
