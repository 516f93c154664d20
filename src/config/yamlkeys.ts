/**
 * One mapping of hybrid-cloud.yaml: keys with one value each, and the few keys that hold more than that.
 *
 * The messages are ours, not the parser's: a parser's message may repeat a piece of the file, and that may be a token.
 */
import { isMap, isScalar, type LineCounter, type Pair, type YAMLMap } from 'yaml';
import type { Given, Origin } from './known.ts';
import { nearest } from './names.ts';
import type { Findings } from './problems.ts';

/** What a mapping may hold. */
export interface Allowed {
  /** Keys with one value, in upper case. */
  readonly keys: ReadonlySet<string>;
  /** Short names of keys, here only: `NAME` means `POOL_NAME`. */
  readonly short: Readonly<Record<string, string>>;
  /** Keys that hold a mapping or a list. */
  readonly nested: readonly string[];
  /** Why a key that is right elsewhere is wrong here, and what to do; null when it is not known at all. */
  elsewhere(key: string): { readonly message: string; readonly hint: string } | null;
}

/** A value that is more than one word, to be read by whoever knows it. */
export interface Nested {
  readonly value: unknown;
  readonly offset: number;
  readonly origin: Origin;
}

export interface Mapping {
  readonly given: Given[];
  /** Keys whose lines are wrong: they count as given when it comes to "is not set". */
  readonly broken: string[];
  /** By key, in upper case. */
  readonly nested: ReadonlyMap<string, Nested>;
}

/** The file while it is read. */
export interface Reading {
  readonly file: string;
  readonly lines: LineCounter;
  readonly findings: Findings;
}

export function readMapping(map: YAMLMap, allowed: Allowed, reading: Reading): Mapping {
  const given: Given[] = [];
  const broken: string[] = [];
  const nested = new Map<string, Nested>();
  const seen = new Map<string, number>();
  for (const item of map.items) {
    const pair = item as Pair;
    const offset = offsetOf(pair.key);
    const written = isScalar(pair.key) ? String(pair.key.value) : '';
    const upper = written.toUpperCase();
    const key = allowed.short[upper] ?? upper;
    const known = allowed.keys.has(key) || allowed.nested.includes(key);
    if (!known) {
      broken.push(...unknown(written, offset, allowed, reading));
      continue;
    }
    const origin = originOf(offset, reading);
    const before = seen.get(key);
    if (before !== undefined)
      problem(reading, offset, `is set twice, first on line ${before}`, 'remove one of them', key);
    seen.set(key, origin.line ?? 0);
    if (allowed.nested.includes(key)) {
      nested.set(key, { value: pair.value, offset, origin });
      continue;
    }
    const value = textOf(pair);
    if (value === null) {
      problem(
        reading,
        offset,
        'must be one value',
        `write ${written}: VALUE, in quotes if it holds special characters`,
        key,
      );
      broken.push(key);
    } else given.push({ key, text: value, origin });
  }
  return { given, broken, nested };
}

/** `budget: { nodes: 4, money_per_day: 20 }` is another way to write `budget_nodes: 4` and `budget_money_per_day: 20`. */
export function readBudget(mapping: Mapping, known: ReadonlySet<string>, reading: Reading): void {
  const budget = mapping.nested.get(BUDGET);
  if (budget === undefined) return;
  if (!isMap(budget.value)) {
    problem(reading, budget.offset, 'must be a list of limits', 'budget: { nodes: 4, money_per_day: 20 }', BUDGET);
    return;
  }
  const short: Record<string, string> = {};
  for (const key of known) if (key.startsWith('BUDGET_')) short[key.slice('BUDGET_'.length)] = key;
  const keys = new Set(Object.values(short));
  const allowed: Allowed = { keys, short, nested: [], elsewhere: () => null };
  const { given, broken } = readMapping(budget.value, allowed, reading);
  const twice = new Set(mapping.given.map((one) => one.key));
  for (const one of given) {
    if (!twice.has(one.key)) mapping.given.push(one);
    else reading.findings.problems.push({ ...place(one.origin), key: one.key, message: 'is set twice', hint: '' });
  }
  mapping.broken.push(...broken);
}

export const BUDGET = 'BUDGET';

/** Notes a problem at this place of the file. */
export function problem(reading: Reading, offset: number, message: string, hint: string, key?: string): void {
  const { line, col } = reading.lines.linePos(offset);
  const named = key === undefined ? {} : { key };
  reading.findings.problems.push({ file: reading.file, line, column: col, message, hint, ...named });
}

export function originOf(offset: number, { file, lines }: Reading): Origin {
  return { kind: 'yaml', file, line: lines.linePos(offset).line };
}

export function offsetOf(node: unknown): number {
  if (isScalar(node) || isMap(node)) return node.range?.[0] ?? 0;
  return 0;
}

/** @returns the key that was probably meant */
function unknown(written: string, offset: number, allowed: Allowed, reading: Reading): string[] {
  const elsewhere = allowed.elsewhere(written.toUpperCase());
  if (elsewhere !== null) {
    problem(reading, offset, elsewhere.message, elsewhere.hint, written);
    return [];
  }
  const meant = nearest(written, [...Object.keys(allowed.short), ...allowed.keys, ...allowed.nested]);
  const style = meant !== null && written === written.toLowerCase() ? meant.toLowerCase() : meant;
  const shown = /^[\w.-]{1,40}$/.test(written) ? written : undefined;
  const tail = style === null ? '' : `; did you mean ${style}?`;
  problem(reading, offset, `${shown ?? 'this key'} is not known${tail}`, '', shown);
  return meant === null ? [] : [allowed.short[meant] ?? meant];
}

/** The text as it stands in the file: `0600` stays `0600`. Null when it is a list, a mapping or a reference. */
function textOf(pair: Pair): string | null {
  const { value } = pair;
  if (value === null) return '';
  if (!isScalar(value) || value.tag !== undefined) return null;
  if (typeof value.value === 'string') return value.value;
  return value.value === null ? '' : (value.source ?? String(value.value));
}

function place(origin: Origin): { file: string; line: number | null } {
  return { file: origin.file, line: origin.line };
}
