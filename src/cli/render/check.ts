/** `check`: each thing looked at, whether it is right, and what to do. */

import { count } from '../../domain/words.ts';
import type { Screen, Style } from './screen.ts';
import { paint } from './screen.ts';
import { type Cell, table } from './table.ts';
import { plain, wrap } from './text.ts';

export interface CheckLine {
  /** What was looked at: `configuration`, `slurm`, `ssh to c1`. */
  readonly what: string;
  /** `note` is no mistake, but worth knowing. */
  readonly ok: 'ok' | 'wrong' | 'note';
  /** What was found. */
  readonly text: string;
  /** What to do about it; empty when there is nothing to do. */
  readonly hint: string;
}

const STYLE: Readonly<Record<CheckLine['ok'], Style>> = { ok: 'green', wrong: 'red', note: 'yellow' };

/** Ends with a sentence that says whether the service would work. */
export function renderCheck(lines: readonly CheckLine[], screen: Screen): string[] {
  const rows = lines.map((line): Cell[] => [
    { text: line.ok, style: STYLE[line.ok] },
    line.what,
    { text: [line.text, ...(line.hint === '' ? [] : [`what to do: ${line.hint}`])] },
  ]);
  const wrong = lines.filter((line) => line.ok === 'wrong').length;
  const end = wrong === 0 ? 'All is well.' : `${count(wrong, 'thing is', 'things are')} wrong.`;
  const summary = wrap(plain(end), screen.columns).map((line) => paint(screen, wrong === 0 ? 'green' : 'red', line));
  return [...table([{ head: '' }, { head: '' }, { head: '' }], rows, screen), '', ...summary];
}
