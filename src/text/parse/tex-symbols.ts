import data from "unicodeit/ts_dist/js/data.js";

/** Symbols, by command. */
export const SYMBOLS = new Map([...pairs(data.replacements), ...spaces(), ...functions()]);

/** Superscripts and subscripts, by mark and character, such as `^2`. */
export const SCRIPTS = new Map(pairs(data.subsuperscripts));

/** Combining characters, by command. */
export const ACCENTS = new Map(pairs(data.combiningmarks));

function pairs(table: readonly string[][]): [string, string][] {
  return table.map(([command = "", symbol = ""]) => [command, symbol]);
}

function spaces(): [string, string][] {
  const names = [",", ";", ":", " ", ">", "quad", "qquad", "enspace", "thinspace", "medspace", "thickspace"];
  return [...names.map((name): [string, string] => [`\\${name}`, " "]), ["\\!", ""], ["~", " "]];
}

/** Names that are set upright, and symbols better than those of the table. */
function functions(): [string, string][] {
  const names =
    "arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim liminf limsup ln log max min mod Pr sec sin sinh sup tan tanh";
  return [
    ...names.split(" ").map((name): [string, string] => [`\\${name}`, name]),
    ["\\dots", "…"],
    ["\\dotsc", "…"],
    ["\\dotsb", "⋯"],
    ["\\langle", "⟨"],
    ["\\rangle", "⟩"],
    ["\\bmod", " mod "],
    ["\\lVert", "‖"],
    ["\\rVert", "‖"],
    ["\\lvert", "|"],
    ["\\rvert", "|"],
    ["\\degree", "°"],
    ["'", "′"],
  ];
}
