/**
 * The long forms of what the suite does shortly: each takes minutes to hours and says how far it is.
 */

import { longFuzz } from './chaos/fuzz.ts';
import { longChaos } from './chaos/long.ts';
import { longMonths } from './chaos/months.ts';
import { longRaces } from './chaos/races-long.ts';
import type { TestParts } from './run-all.ts';

type Form = (count: number, seed: number, parts: TestParts) => Promise<number>;

const FORMS: Readonly<Record<string, Form>> = {
  '--chaos': longChaos,
  '--fuzz': longFuzz,
  '--races': longRaces,
  '--months': longMonths,
};

/** @returns the exit code, or null when the arguments ask for no long form */
export async function longForm(args: readonly string[], parts: TestParts): Promise<number | null> {
  const [name = '', count = '', ...more] = args;
  const form = FORMS[name];
  if (form === undefined) return null;
  const [seedName, seed = '1', ...rest] = more;
  const known = seedName === undefined || seedName === '--seed';
  if (!whole(count) || !whole(seed) || !known || rest.length > 0) {
    parts.write(`usage: hybrid-cloud test ${name} N [--seed N]\n`);
    return 2;
  }
  return form(Number(count), Number(seed), parts);
}

function whole(text: string): boolean {
  return /^[1-9]\d{0,8}$/.test(text);
}
