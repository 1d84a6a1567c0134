/** Cleans text as the server does (TDLib's clean_input_string), except that a tab becomes four spaces. */
export function cleaned(text: string): string {
  if (!UNCLEAN.test(text)) return text;
  return text
    .replaceAll("\t", "    ")
    .replace(/[\r\u2028-\u202e\u030a\u0333\u033f]/g, "")
    .replace(/\p{Surrogate}/gu, "\uFFFD")
    .replace(/(?!\n)[\0-\x1f]/g, " ");
}

const UNCLEAN = /(?!\n)[\0-\x1f\u2028-\u202e\u030a\u0333\u033f]|\p{Surrogate}/u;
