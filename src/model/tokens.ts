import { packageLoader } from "../system/load-package.ts";
import { inSlices } from "../system/slices.ts";
import type { Message } from "./model.ts";

/** Counts the tokens of a text in one encoding. */
export type CountText = (text: string) => Promise<number>;

/**
 * The length of the parts in which texts are counted, in UTF-16 units. The tokenizer takes quadratic time on a text
 * without blanks (64 000 emoji take 44 s as a whole, 2 ms in parts); a cut adds at most one token.
 */
const PART = 256;
/** The most parts of a text that are counted. A longer text is sampled at even intervals, and the sum extrapolated. */
const MAX_PARTS = 256;
/** The tokens of a message besides its text, and those that begin an answer, according to OpenAI's examples. */
const MESSAGE_TOKENS = 4;
export const ANSWER_TOKENS = 3;

/**
 * The tokens of an image, as OpenAI counts one of at most 768 × 1536 pixels in high detail: 85, and 170 for each of six
 * tiles. Larger images are scaled down to that size. Other models use fewer tokens, or about as many.
 */
const IMAGE_TOKENS = 1105;

type Encoding = "o200k_base" | "cl100k_base";

type Tokenizer =
  | typeof import("gpt-tokenizer/encoding/o200k_base")
  | typeof import("gpt-tokenizer/encoding/cl100k_base");

const packages = {
  o200k_base: packageLoader("gpt-tokenizer/encoding/o200k_base") as () => Tokenizer,
  cl100k_base: packageLoader("gpt-tokenizer/encoding/cl100k_base") as () => Tokenizer,
};

const loaded = new Map<Encoding, CountText>();

/** Counts the tokens of a text, or of a request with these messages. An estimate for models that are not OpenAI's. */
export async function countTokens(what: string | readonly Message[], model = ""): Promise<number> {
  const count = await loadTokenizer(model);
  if (typeof what === "string") return count(what);
  let sum = ANSWER_TOKENS;
  for (const message of what) sum += overheadOf(message) + (await count(message.content));
  return sum;
}

/** The tokens of a message besides its text. */
export function overheadOf({ images = [] }: Message): number {
  return MESSAGE_TOKENS + images.length * IMAGE_TOKENS;
}

/** The tokenizer of a model. Its tables, some MB, are loaded when they are first needed. */
export async function loadTokenizer(model = ""): Promise<CountText> {
  // Only models before GPT-4o use the older encoding.
  const encoding = /^gpt-(3\.5|4)(-|$)/.test(model) ? "cl100k_base" : "o200k_base";
  const tokenizer = loaded.get(encoding) ?? load(encoding);
  loaded.set(encoding, tokenizer);
  return tokenizer;
}

function load(encoding: Encoding): CountText {
  const { countTokens, setMergeCacheSize } = packages[encoding]();
  // With the default, 100 000 words of up to the length of a part, the cache could take tens of MB.
  setMergeCacheSize(10_000);
  // Users' text is plain text, even if it contains something like <|endoftext|>.
  const plain = { disallowedSpecial: new Set<string>() };
  return (text) => inSlices(countInParts(text, (part) => countTokens(part, plain)));
}

function* countInParts(text: string, count: (part: string) => number): Generator<void, number> {
  const stride = PART * Math.max(1, Math.ceil(text.length / PART / MAX_PARTS));
  let tokens = 0;
  let counted = 0;
  for (let start = 0; start < text.length; start += stride) {
    const part = text.slice(start, start + PART);
    tokens += count(part);
    counted += part.length;
    yield;
  }
  return counted === 0 ? 0 : Math.ceil((tokens * text.length) / counted);
}
