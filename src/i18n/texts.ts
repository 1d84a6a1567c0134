import { en, type Sentence, type TextName } from "./en.ts";
import { zh } from "./zh.ts";

/** Returns a chat text in one language, with the names in `{}` replaced by values. */
export type Say = (name: TextName, values?: Readonly<Record<string, string | number>>) => string;

/** All languages. To add one, add a file beside `en.ts` and a line here. */
const languages: Readonly<Record<string, Readonly<Record<TextName, Sentence>>>> = { en, zh };

/** The chat texts in the language of `locale`, or in English if there is no translation. */
export function texts(locale: string): Say {
  const language = languageOf(locale);
  return (name, values = {}) => {
    const sentence: Sentence = (languages[language] ?? en)[name];
    const text =
      typeof sentence === "string"
        ? sentence
        : (sentence[new Intl.PluralRules(language).select(Number(values["count"]))] ?? sentence.other);
    return text.replace(/\{(\w+)\}/g, (whole, key: string) => String(values[key] ?? whole));
  };
}

/** One text in every language, for the menus of platforms. */
export function inEveryLanguage(name: TextName): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.keys(languages).map((language) => [language, texts(language)(name)]));
}

/** The translation that fits `locale` best; English if none does. */
export function inLanguage(translations: Readonly<Record<string, string>>, locale: string): string {
  const fitting = [locale, languageOf(locale), "en"].find((tag) => Object.hasOwn(translations, tag));
  return (fitting && translations[fitting]) ?? "";
}

/** The locale to answer in: the one the platform reports, else Chinese if the text is Chinese, else English. */
export function localeOf(reported: string | undefined, text: string): string {
  if (reported) return reported;
  return /\p{Script=Han}/u.test(text) && !/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text)
    ? "zh"
    : "en";
}

function languageOf(locale: string): string {
  const language = locale.toLowerCase().split(/[-_]/)[0] ?? "";
  return Object.hasOwn(languages, language) ? language : "en";
}
