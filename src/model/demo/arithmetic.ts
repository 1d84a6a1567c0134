/** An arithmetic expression and its value: undefined if it has none, as after a division by zero or an overflow. */
export interface Sum {
  readonly expression: string;
  readonly value: number | undefined;
}

/** The longest text that may contain an expression, in UTF-16 units. */
const MAX_QUESTION = 200;

const BEFORE =
  /^(?:what(?:'s|’s| is)|how much is|calculate|compute|请?计算(?:一下)?|请?算(?:一下|一算)?|请问)/i;

/** Does not end in a blank or a full stop, which belong to the sentence. */
const EXPRESSION = /^[-\d.+*/()\s]*[-\d+*/()]/;

const AFTER = /^(?:=|等于|是)?\s*(?:(?:几|多少|what)\s*)?[?？.。!！]*$/i;

/**
 * Finds the expression in a text that asks for nothing else, such as "1+1=几" or "what is 12 * 3?". It may contain the
 * operators + - * / and parentheses.
 */
export function findSum(text: string): Sum | undefined {
  if (text.length > MAX_QUESTION) return undefined;
  const question = normalise(text.trim()).replace(BEFORE, "").trim();
  const expression = EXPRESSION.exec(question)?.[0] ?? "";
  if (!AFTER.test(question.slice(expression.length).trim())) return undefined;
  if (!/\d\s*[-+*/]|[-+*/]\s*\(/.test(expression)) return undefined;
  try {
    const value = evaluate(expression);
    return { expression, value: Number.isFinite(value) ? Number(value.toPrecision(12)) : undefined };
  } catch {
    return undefined;
  }
}

function normalise(text: string): string {
  return text
    .replace(/[０-９＋－（）．＝]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0))
    .replace(/×|乘以?|\btimes\b|(?<=\d)\s*x\s*(?=\d)/gi, "*")
    .replace(/÷|除以|\bdivided by\b/gi, "/")
    .replace(/加上?|\bplus\b/gi, "+")
    .replace(/减去?|\bminus\b|−/gi, "-");
}

/** Throws a `SyntaxError` if the expression is invalid. */
function evaluate(expression: string): number {
  const tokens = expression.match(/\d+(?:\.\d+)?|[-+*/()]|\S/g) ?? [];
  let index = 0;
  const value = sum();
  if (index < tokens.length) throw new SyntaxError();
  return value;

  function sum(): number {
    let value = product();
    while (tokens[index] === "+" || tokens[index] === "-")
      value = tokens[index++] === "+" ? value + product() : value - product();
    return value;
  }

  function product(): number {
    let value = factor();
    while (tokens[index] === "*" || tokens[index] === "/")
      value = tokens[index++] === "*" ? value * factor() : value / factor();
    return value;
  }

  function factor(): number {
    const token = tokens[index++] ?? "";
    if (token === "-") return -factor();
    if (token !== "(") return number(token);
    const value = sum();
    if (tokens[index++] !== ")") throw new SyntaxError();
    return value;
  }
}

function number(token: string): number {
  if (!/^\d/.test(token)) throw new SyntaxError();
  return Number(token);
}
