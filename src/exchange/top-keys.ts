/**
 * Returns the keys of the outermost object of a valid JSON text, in order and with duplicates. `JSON.parse` silently
 * keeps only the last of duplicate keys, and moves keys that look like numbers to the front.
 */
export function topKeys(json: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  let isKey = false;
  for (let at = 0; at < json.length; at += 1) {
    switch (json[at]) {
      case "{":
      case "[":
        depth += 1;
        isKey = depth === 1;
        break;
      case "}":
      case "]":
        depth -= 1;
        break;
      case ",":
        isKey = depth === 1;
        break;
      case '"': {
        const end = endOfString(json, at);
        if (isKey) keys.push(JSON.parse(json.slice(at, end + 1)) as string);
        isKey = false;
        at = end;
      }
    }
  }
  return keys;
}

/** The end of the string that begins here: the first quotation mark that is not escaped. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); ; end = json.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (json[end - 1 - backslashes] === "\\") backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
}
