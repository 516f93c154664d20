/**
 * Numbers and names as the table and the report show them.
 */

import { span } from '../../domain/words.ts';
import type { Case } from '../simulate.ts';

const HOUR = 3_600_000;

/** `12,345.6` */
export function grouped(value: number, digits = 0): string {
  const [whole = '0', rest] = value.toFixed(digits).split('.');
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return rest === undefined ? groups : `${groups}.${rest}`;
}

/**
 * Hours with one digit, so rounded that the parts add up to the whole as it is printed: the last part takes the rest.
 * @param parts ms, whole numbers
 */
export function hours(...parts: readonly number[]): { parts: readonly string[]; total: string } {
  const tenths = (ms: number) => Math.round(ms / (HOUR / 10));
  const first = parts.slice(0, -1).map(tenths);
  const before = first.reduce((sum, part) => sum + part, 0);
  const last = Math.max(0, tenths(parts.reduce((sum, part) => sum + part, 0)) - before);
  return { parts: [...first, last].map((part) => grouped(part / 10, 1)), total: grouped((before + last) / 10, 1) };
}

/** ms as whole seconds. */
export function seconds(ms: number): string {
  return grouped(Math.round(ms / 1000));
}

export function percent(part: number, whole: number): string {
  return whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`;
}

export function date(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** `demand, boot 60 s, idle 10 min` */
export function caseName(one: Case): string {
  return `${one.policy}, boot ${span(one.boot)}, idle ${span(one.idle)}`;
}
