/** Reads numbers in JSON texts as they are written, which `JSON.parse` rounds or refuses. */

const [QUOTE_MARK, BACKSLASH] = [0x22, 0x5c];

/**
 * The number at a path as written, such as an id with 19 digits; `null` if there is no number. Of a key that
 * occurs more than once the last one counts, as in `JSON.parse`.
 * @param json text of an object that `JSON.parse` accepts
 * @param path keys from the top level down; positions in lists
 */
export function numberAt(json: string, path: readonly string[]): string | null {
  const found = new Finder(json, path).value(0, 0);
  return found.number;
}

/** Walks over a JSON text once, without building its values. */
class Finder {
  readonly #json: string;
  readonly #path: readonly string[];

  constructor(json: string, path: readonly string[]) {
    this.#json = json;
    this.#path = path;
  }

  /**
   * Passes the value at `at`.
   * @param depth keys of the path that lead to it; -1 for a value beside the path
   * @returns its end, and the number that the path leads to
   */
  value(at: number, depth: number): { end: number; number: string | null } {
    const json = this.#json;
    const start = this.#blanks(at);
    const first = json[start];
    if (first === '{' || first === '[') {
      return depth === -1
        ? { end: this.#pass(start), number: null }
        : this.#members(start, depth, first === '{');
    }
    if (first === '"') return { end: this.#string(start), number: null };
    let end = start;
    while (end < json.length && !',}] \t\r\n'.includes(json[end] as string)) end++;
    const isNumber = depth === this.#path.length && /[\d-]/.test(first ?? '');
    return { end, number: isNumber ? json.slice(start, end) : null };
  }

  #members(start: number, depth: number, isObject: boolean): { end: number; number: string | null } {
    const json = this.#json;
    let number: string | null = null;
    let at = this.#blanks(start + 1);
    for (let n = 0; json[at] !== '}' && json[at] !== ']' && at < json.length; n++) {
      let key = String(n);
      if (isObject) {
        const end = this.#string(at);
        key = JSON.parse(json.slice(at, end));
        at = this.#blanks(end) + 1;
      }
      const isOnPath = depth !== -1 && key === this.#path[depth];
      const member = this.value(at, isOnPath ? depth + 1 : -1);
      if (isOnPath) number = member.number;
      at = this.#blanks(member.end);
      if (json[at] === ',') at = this.#blanks(at + 1);
    }
    return { end: at + 1, number };
  }

  /** The end of the list or object that starts at `at`, however deep it is. */
  #pass(at: number): number {
    const json = this.#json;
    let open = 0;
    let end = at;
    do {
      const character = json[end];
      if (character === '"') end = this.#string(end) - 1;
      else if (character === '{' || character === '[') open++;
      else if (character === '}' || character === ']') open--;
      end++;
    } while (open > 0 && end < json.length);
    return end;
  }

  /** The end of the string that starts at `at`. */
  #string(at: number): number {
    const json = this.#json;
    let end = at + 1;
    while (end < json.length && json.charCodeAt(end) !== QUOTE_MARK)
      end += json.charCodeAt(end) === BACKSLASH ? 2 : 1;
    return end + 1;
  }

  #blanks(at: number): number {
    let end = at;
    while (end < this.#json.length && ' \t\r\n'.includes(this.#json[end] as string)) end++;
    return end;
  }
}

/** A string, or one of the values that are no JSON numbers. */
const STRING_OR_NON_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\b(?:NaN|Infinity)\b/gs;

/** The text with null in place of `NaN`, `Infinity` and `-Infinity` outside strings; `null` without any. */
export function withoutNonNumbers(json: string): string | null {
  if (!json.includes('NaN') && !json.includes('Infinity')) return null;
  return json.replace(STRING_OR_NON_NUMBER, (found) => (found.startsWith('"') ? found : 'null'));
}

/**
 * An object that `JSON.parse` gave, with the integers beyond 2^53 in it as bigints of their exact digits.
 * @param json the text that the object is of
 */
export function withExactNumbers<Value>(value: Value, json: string): Value {
  return hasLargeInteger(value) ? (exact(value, json, []) as Value) : value;
}

function isLargeInteger(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
}

function hasLargeInteger(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return isLargeInteger(value);
  return Object.values(value).some(hasLargeInteger);
}

function exact(value: unknown, json: string, path: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null) {
    const digits = isLargeInteger(value) ? numberAt(json, path) : null;
    return digits !== null && /^-?\d+$/.test(digits) ? BigInt(digits) : value;
  }
  const members = Object.entries(value).map(([key, inner]) => [key, exact(inner, json, [...path, key])]);
  return Array.isArray(value) ? members.map(([, inner]) => inner) : Object.fromEntries(members);
}
