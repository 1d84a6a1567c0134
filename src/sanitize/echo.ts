/** Stands for what is left out. */
const GAP = "…";

/** As much of a refusal is read, in UTF-16 units: each of its words is looked for in all that was sent. */
const MAX_SAID = 1000;

/** A word with more UTF-16 units is none that people read: a picture, a key, a piece of encoded text. */
const MAX_WORD = 40;

/** From this many words on, what stands in one order in both texts is a quotation, however common the words are. */
const QUOTATION = { bare: 4, inQuotes: 2 } as const;

const WORD = /[\p{L}\p{M}\p{N}]+/gu;

/**
 * What a service says about a request, without what it repeats of it: errors often quote what they are about, and
 * that must not get into a log. A word goes that stands in what was sent, as a whole or as a part, unless errors are
 * usually made of it; so does a quotation, and what is encoded. Model names, fields and limits stay, as they were not
 * sent. A service that retells the request in words of its own cannot be told from one that explains itself.
 */
export function withoutEcho(said: string, sent: string): string {
  const text = readable(said.slice(0, MAX_SAID));
  const source = sourceOf(sent);
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

/** The same where nobody knows what may be repeated, as when a service withholds an answer: only common words stay. */
export function onlyCommon(said: string): string {
  const text = readable(said.slice(0, MAX_SAID));
  return joined(text.replace(WORD, (word) => (COMMON.has(word.toLowerCase()) ? word : GAP)));
}

function joined(text: string): string {
  return text.replace(/…(?:[^\p{L}\p{N}]*…)+/gu, GAP);
}

/** Every text in a value that was sent, however deep. */
export function textsIn(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return "";
  return Object.values(value).map(textsIn).filter(Boolean).join("\n");
}

/** What was sent, so that words can be looked for in it. */
interface Source {
  readonly text: string;
  /** Its words, each between two spaces. */
  readonly words: string;
  /** The words that are long enough to be known again with something stuck to them. */
  readonly marked: ReadonlySet<string>;
}

/** Shorter words stand in others by chance; in UTF-16 units. */
const MIN_MARKED = 6;

function sourceOf(sent: string): Source {
  const text = plain(sent).toLowerCase();
  const words = text.match(WORD) ?? [];
  const marked = words.filter((word) => word.length >= MIN_MARKED && !COMMON.has(word));
  return { text, words: ` ${words.join(" ")} `, marked: new Set(marked) };
}

function plain(text: string): string {
  return text.normalize("NFKC").replace(/\p{Default_Ignorable_Code_Point}/gu, "");
}

/** Without what is encoded once more, in which no word would be found. */
function readable(said: string): string {
  return plain(said)
    .replace(/data:[\w/+.-]*[;,]\S*/gi, GAP)
    .replace(/(?:\\u[\da-f]{0,4}|\\x[\da-f]{0,2}|%[\da-f]{2}|&#?\w{1,8};)+/gi, GAP)
    .replace(/\\[nrtbf]/g, " ")
    .replace(new RegExp(`[\\w+/=-]{${MAX_WORD + 1},}`, "g"), GAP);
}

/** Which words stand between quotation marks; a name such as 'messages[0].content' is no quotation. */
function quotesIn(text: string, found: readonly { at: number }[]): readonly boolean[] {
  const passages = [
    ...text.matchAll(
      // oxlint-disable-next-line regexp/no-super-linear-move -- what is not closed goes to the end: nothing is tried twice
      /"[^"]*(?:"|$)|“[^”]*(?:”|$)|«[^»]*(?:»|$)|「[^」]*(?:」|$)|`[^`]*(?:`|$)|(?<![\p{L}\p{N}])'(?:[^']|(?<=\p{L})'(?=\p{L}))*(?:'|$)/gu,
    ),
  ].filter(([passage]) => !/^.[\w.[\]-]+.$/.test(passage));
  return found.map(({ at }) =>
    passages.some(({ 0: passage, index }) => index < at && at < index + passage.length),
  );
}

/** The words that belong to a run of the same words in what was sent; its last one may be cut off. */
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

/** Where words are not set apart, as in Chinese: what two or more characters have in common goes. */
function withoutSharedParts(word: string, text: string): string {
  const characters = Array.from(word);
  const isShared = characters.map((character, at) => text.includes(character + (characters[at + 1] ?? "")));
  return characters
    .map((character, at) =>
      (isShared[at] && at + 1 < characters.length) || isShared[at - 1] ? GAP : character,
    )
    .join("");
}

/** What errors are made of, whatever they are about. */
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
