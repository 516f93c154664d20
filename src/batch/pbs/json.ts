/**
 * Reads the JSON of `qstat -F json` and `pbsnodes -F json`, repaired where PBS is known to spoil it.
 *
 * PBS puts a value into its JSON as it is when it looks like a number (a job named 007, up to 23.06), and some releases
 * write quotes and control characters of a user's environment unescaped. But it prints one key per line, so a line can
 * be mended by itself, and an entry that stays unreadable does not take the others with it.
 */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export interface JsonReading {
  /** Entries of `Jobs` or `nodes`, by id. */
  readonly entries: ReadonlyMap<string, JsonObject>;
  /** Texts of entries that cannot be read, by the id they seem to have. */
  readonly broken: readonly { readonly id: string; readonly text: string }[];
  /** The document has no end, or is none: nothing in it may be believed to be complete. */
  readonly cut: boolean;
}

/** @param section `Jobs` or `nodes`; without it in a whole document there are none */
export function readJson(text: string, section: string): JsonReading {
  const body = text.trim();
  const none = { entries: new Map<string, JsonObject>(), broken: [] };
  if (!body.startsWith('{') || !body.endsWith('}')) return { ...none, cut: true };
  // JSON.parse keeps the last of two entries of one id without a word
  const whole = hasTwice(body) ? null : parse(body);
  if (isObject(whole)) {
    if (!isDocument(whole)) return { ...none, cut: true };
    const found = Object.hasOwn(whole, section) ? whole[section] : {};
    if (!isObject(found)) return { ...none, cut: true };
    const broken: { id: string; text: string }[] = [];
    const entries = new Map<string, JsonObject>();
    for (const [id, entry] of Object.entries(found)) {
      if (isObject(entry)) entries.set(id, entry);
      else broken.push({ id, text: JSON.stringify(entry) ?? '' });
    }
    return { entries, broken, cut: false };
  }
  return byLines(body, section);
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What every answer of PBS begins with. */
function isDocument(whole: JsonObject): boolean {
  return Object.hasOwn(whole, 'pbs_version') && Object.hasOwn(whole, 'pbs_server');
}

function hasTwice(body: string): boolean {
  const seen = new Set<string>();
  for (const [, id] of body.matchAll(/^\t\t"([^"\n]+)":\t\{$/gm)) {
    if (seen.has(id ?? '')) return true;
    seen.add(id ?? '');
  }
  return false;
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** The document as PBS lays it out: entries at two tabs, each from `"id":<tab>{` to its `}`. */
function byLines(body: string, section: string): JsonReading {
  const lines = body.split('\n').map((line) => line.replace(/\r$/, ''));
  const entries = new Map<string, JsonObject>();
  const broken: { id: string; text: string }[] = [];
  const none = { entries: new Map<string, JsonObject>(), broken: [] };
  const start = lines.indexOf(`\t"${section}":\t{`);
  const head = start < 0 ? lines : lines.slice(0, start);
  if (!head.some((line) => line.startsWith('\t"pbs_version":'))) return { ...none, cut: true };
  if (start < 0 || lines.at(-1) !== '}' || lines.at(-2) !== '\t}') return { ...none, cut: true };
  const twice = new Set<string>();
  let at = start + 1;
  const end = lines.length - 2;
  while (at < end) {
    let until = at + 1;
    while (until < end && !/^\t\t"[^\t]*":\t/.test(lines[until] ?? '')) until++;
    const block = lines.slice(at, until);
    const match = /^\t\t"(.*)":\t\{$/.exec(block[0] ?? '');
    const id = match?.[1] ?? '?';
    const last = block.at(-1);
    const closed = last === '\t\t},' || (last === '\t\t}' && until === end);
    const entry = match && closed ? parse(`{${block.slice(1, -1).map(mend).join('\n')}}`) : undefined;
    if (!isObject(entry) || twice.has(id)) {
      broken.push({ id, text: block.join('\n') });
      entries.delete(id);
    } else entries.set(id, entry);
    twice.add(id);
    at = until;
  }
  return { entries, broken, cut: false };
}

/** A line whose text value has unescaped quotes or control characters in it: all between the first quote and the last. */
function mend(line: string): string {
  const match = /^(\t+"[^"]*":\t)"(.*)"(,?)$/s.exec(line);
  if (!match || parse(`"${match[2]}"`) !== undefined) return line;
  const inner = (match[2] ?? '').replaceAll(/\\(["\\/bfnrt])/g, (_, c: string) => UNESCAPED[c] ?? c);
  return `${match[1]}${JSON.stringify(inner)}${match[3]}`;
}

const UNESCAPED: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** A value as text, whatever type PBS took it for. */
export function textOf(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** Is this the name, though PBS may have taken it for a number (a queue named 007 is printed as 7)? */
export function isNamed(value: Json | undefined, name: string): boolean {
  if (typeof value === 'number') return /^[\d.eE+-]+$/.test(name) && Number(name) === value;
  return textOf(value) === name;
}
