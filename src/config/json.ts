/**
 * A strict JSON reader that keeps positions and every entry of an object, also one that comes twice: `JSON.parse`
 * silently keeps the last of two equal keys, and puts keys that look like numbers first. Its errors say what is
 * expected there.
 */
export interface JsonNode {
  readonly kind: 'object' | 'array' | 'string' | 'number' | 'word';
  /** The text of a string; the source of a number or word (`true`, `null`). */
  readonly text: string;
  /** Offset of its first character. */
  readonly at: number;
  /** Entries of an object in file order. */
  readonly entries: readonly { readonly key: JsonNode; readonly value: JsonNode }[];
}

/** The text is no JSON. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
  readonly at: number;
  readonly hint: string;
  constructor(at: number, message: string, hint = '') {
    super(message);
    this.at = at;
    this.hint = hint;
  }
}

/** @throws JsonError at the first place that is not JSON. */
export function parseJson(text: string): JsonNode {
  const reader: Reader = { text, at: 0, depth: 0 };
  skipBlanks(reader);
  if (reader.at >= text.length) throw new JsonError(0, 'the file is empty', 'an empty object is {}');
  const node = readValue(reader);
  skipBlanks(reader);
  if (reader.at < text.length) throw new JsonError(reader.at, 'the file should end here, after the closing bracket');
  return node;
}

/** Line and column, both from 1, of an offset; a column is a character (a surrogate pair is one). */
export function placeOf(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at).split(/\r\n|\n|\r/);
  return { line: before.length, column: Array.from(before.at(-1) ?? '').length + 1 };
}

interface Reader {
  readonly text: string;
  at: number;
  depth: number;
}

/** A file of brackets only must not exhaust the stack. */
const MAX_DEPTH = 100;

function readValue(r: Reader): JsonNode {
  const at = r.at;
  const c = r.text[at];
  if (c === '{') return readObject(r);
  if (c === '[') return readArray(r);
  if (c === '"') return readString(r, 'a value');
  const word = /^[A-Za-z0-9+.-]+/.exec(r.text.slice(at, at + 400))?.[0] ?? '';
  if (/^(true|false|null)$/.test(word)) {
    r.at += word.length;
    return { kind: 'word', text: word, at, entries: [] };
  }
  if (/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(word)) {
    r.at += word.length;
    return { kind: 'number', text: word, at, entries: [] };
  }
  throw unexpected(r, 'a value in double quotes is expected here');
}

function readObject(r: Reader): JsonNode {
  const at = r.at;
  const entries: { key: JsonNode; value: JsonNode }[] = [];
  for (let next = open(r, '}'); next; next = separator(r, '}', entries.at(-1)?.value)) {
    const key = readString(r, entries.length === 0 ? 'an entry or }' : 'an entry');
    skipBlanks(r);
    if (r.text[r.at] !== ':') {
      const hint = r.text[r.at] === '"' ? '' : 'is a quote missing?';
      throw unexpected(r, `a colon is expected after "${key.text.slice(0, 40)}"`, hint);
    }
    r.at++;
    skipBlanks(r);
    entries.push({ key, value: readValue(r) });
  }
  r.depth--;
  return { kind: 'object', text: '', at, entries };
}

function readArray(r: Reader): JsonNode {
  const at = r.at;
  let last: JsonNode | undefined;
  for (let next = open(r, ']'); next; next = separator(r, ']', last)) last = readValue(r);
  r.depth--;
  return { kind: 'array', text: '', at, entries: [] };
}

/** Steps over the opening bracket. Is there a first entry? */
function open(r: Reader, close: string): boolean {
  if (++r.depth > MAX_DEPTH) throw new JsonError(r.at, 'too many brackets inside one another');
  r.at++;
  skipBlanks(r);
  if (r.text[r.at] !== close) return true;
  r.at++;
  return false;
}

/** Steps over a comma or the closing bracket. Is there a next entry? */
function separator(r: Reader, close: string, last: JsonNode | undefined): boolean {
  const end = r.at;
  skipBlanks(r);
  const c = r.text[r.at];
  if (c === close) {
    r.at++;
    return false;
  }
  if (c === '"')
    throw new JsonError(end, `a comma is missing after ${last?.kind === 'string' ? `"${last.text}"` : 'this'}`);
  if (c !== ',') throw unexpected(r, `a comma or ${close} is expected here`);
  const comma = r.at;
  r.at++;
  skipBlanks(r);
  if (r.text[r.at] === close) throw new JsonError(comma, `the comma before ${close} is one too many`, 'remove it');
  return true;
}

function readString(r: Reader, expected: string): JsonNode {
  const at = r.at;
  if (r.text[at] !== '"') throw unexpected(r, `${expected} in double quotes is expected here`);
  // Sticky, so that a long file is not copied for every string.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these inside a string
  const whole = /"((?:[^"\\\u0000-\u001f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*)("?)/y;
  whole.lastIndex = at;
  const found = whole.exec(r.text);
  if (found === null || found[2] === '') {
    const stop = whole.lastIndex === 0 ? at : whole.lastIndex;
    if (r.text[stop] === '\\') throw new JsonError(stop, 'a backslash that means nothing in JSON');
    throw new JsonError(at, 'the quote that begins here is not closed on this line', 'add the closing "');
  }
  r.at = whole.lastIndex;
  return { kind: 'string', text: String(JSON.parse(found[0])), at, entries: [] };
}

function skipBlanks(r: Reader): void {
  while (r.at < r.text.length && ' \t\r\n'.includes(r.text.charAt(r.at))) r.at++;
}

/** Says what was found where something else should be, and what people usually meant by it. */
function unexpected(r: Reader, expected: string, hint = ''): JsonError {
  const c = String.fromCodePoint(r.text.codePointAt(r.at) ?? 0);
  if (r.at >= r.text.length) return new JsonError(r.at, `the file ends too early: ${expected}`, hint);
  if (c === '#' || r.text.startsWith('//', r.at) || r.text.startsWith('/*', r.at)) {
    return new JsonError(r.at, 'JSON has no comments', 'remove it');
  }
  if (c === "'") return new JsonError(r.at, expected, 'JSON knows only double quotes: "');
  if ('“”„‟＂'.includes(c)) return new JsonError(r.at, expected, `${c} is not the plain double quote "`);
  const plain = c.normalize('NFKC');
  if (plain !== c && /^[\x20-\x7e]$/.test(plain)) {
    const said = plain === ' ' ? 'a wide blank; use a plain one' : `the wide form; write ${plain}`;
    return new JsonError(r.at, expected, `${plain === ' ' ? 'this' : c} is ${said}`);
  }
  if (c === ',') return new JsonError(r.at, expected, 'is this comma one too many?');
  return new JsonError(r.at, expected, hint);
}
