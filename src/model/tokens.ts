import { packageLoader } from "../system/load-package.ts";
import { inSlices } from "../system/slices.ts";
import type { Message } from "./model.ts";

/** How many tokens a text has, as one encoding counts. */
export type CountText = (text: string) => Promise<number>;

/**
 * Texts are counted in pieces of so many UTF-16 units: the tokenizer takes quadratic time on a text without
 * blanks (64 000 emoji: 44 s as a whole, 2 ms in pieces), and a cut costs at most a token.
 */
const PIECE = 256;
/** Of a longer text so many pieces are counted, evenly spread, and the rest is reckoned from them. */
const MAX_PIECES = 256;
/** What a message costs besides its text, and what an answer's opening costs, by OpenAI's own examples. */
const MESSAGE_TOKENS = 4;
export const ANSWER_TOKENS = 3;

/**
 * What an image costs, as OpenAI counts one of at most 768 × 1536 pixels in high detail: 85, and 170 for each of six
 * tiles; larger ones are shrunk to that. Other models take less, or about as much.
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

/** How many tokens a text, or a request with these messages, has; for models of others than OpenAI an estimate. */
export async function countTokens(what: string | readonly Message[], model = ""): Promise<number> {
  const count = await loadTokenizer(model);
  if (typeof what === "string") return count(what);
  let sum = ANSWER_TOKENS;
  for (const message of what) sum += besidesText(message) + (await count(message.content));
  return sum;
}

/** What a message costs besides its text. */
export function besidesText({ images = [] }: Message): number {
  return MESSAGE_TOKENS + images.length * IMAGE_TOKENS;
}

/** The tokenizer of a model; its tables (some MB) are loaded when they are first needed. */
export async function loadTokenizer(model = ""): Promise<CountText> {
  // Only the models before GPT-4o have the older encoding.
  const encoding = /^gpt-(3\.5|4)(-|$)/.test(model) ? "cl100k_base" : "o200k_base";
  const tokenizer = loaded.get(encoding) ?? load(encoding);
  loaded.set(encoding, tokenizer);
  return tokenizer;
}

function load(encoding: Encoding): CountText {
  const { countTokens, setMergeCacheSize } = packages[encoding]();
  // The default of 100 000 words of up to a piece's length each could take tens of MB.
  setMergeCacheSize(10_000);
  // What people write is text, even if it reads like <|endoftext|>.
  const plain = { disallowedSpecial: new Set<string>() };
  return (text) => inSlices(countInPieces(text, (piece) => countTokens(piece, plain)));
}

function* countInPieces(text: string, count: (piece: string) => number): Generator<void, number> {
  const stride = PIECE * Math.max(1, Math.ceil(text.length / PIECE / MAX_PIECES));
  let tokens = 0;
  let seen = 0;
  for (let at = 0; at < text.length; at += stride) {
    const piece = text.slice(at, at + PIECE);
    tokens += count(piece);
    seen += piece.length;
    yield;
  }
  return seen === 0 ? 0 : Math.ceil((tokens * text.length) / seen);
}
