/**
 * Tables whose columns are as wide as their content. When the terminal is narrower: columns that can be missed go
 * first, then the last column wraps, then it moves below its row, then the widest of the others is cut with `…`.
 */
import { paint, type Screen, type Style } from './screen.ts';
import { cut, pad, plain, width, wrap } from './text.ts';

export interface Column {
  readonly head: string;
  readonly align?: 'left' | 'right';
  /** Left out when there is no room; the highest number goes first. */
  readonly spare?: number;
}

/** A list is one paragraph per entry; only the last column shows more than one line. */
export type Cell = string | { readonly text: string | readonly string[]; readonly style?: Style | undefined };

const GAP = 2;
/** A last column narrower than this is no pleasure to read. */
const MIN_LAST = 20;
/** Where the last column begins when it has to go below its row. */
const BELOW = 4;

/** Lines of the table, without a line end. The last column takes what is left. No head line when all heads are empty. */
export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[], screen: Screen): string[] {
  const kept = fitting(columns, rows, screen.columns);
  const pick = <T>(all: readonly T[]) => kept.map((at) => all[at]).filter((one) => one !== undefined);
  const shown = pick(columns);
  const heads = shown.map((column) => ({ text: column.head, style: 'dim' as const }));
  const withHead = heads.some((head) => head.text !== '');
  const cells = [...(withHead ? [heads] : []), ...rows.map((row) => pick(row))];
  const widths = natural(shown, cells);
  const left = screen.columns - before(widths);
  const last = widths.length - 1;
  const below = left < Math.min(MIN_LAST, widths[last] ?? 0);
  if (below) shrink(widths, screen.columns);
  const room = below ? screen.columns - BELOW : left;
  return cells.flatMap((row) => lines(row, shown, widths, below, room, screen));
}

/** Drops spare columns until the last one has enough room. Returns the positions of those that stay. */
function fitting(columns: readonly Column[], rows: readonly (readonly Cell[])[], room: number): number[] {
  const all = natural(columns, [columns.map((column) => column.head), ...rows]);
  const kept = columns.map((_, at) => at);
  for (;;) {
    const widths = kept.map((at) => all[at] ?? 0);
    const enough = before(widths) + Math.min(MIN_LAST, widths.at(-1) ?? 0) <= room;
    const spare = kept.filter((at) => columns[at]?.spare !== undefined);
    if (enough || spare.length === 0) return kept;
    const least = spare.reduce((a, b) => ((columns[b]?.spare ?? 0) > (columns[a]?.spare ?? 0) ? b : a));
    kept.splice(kept.indexOf(least), 1);
  }
}

function natural(columns: readonly Column[], rows: readonly (readonly Cell[])[]): number[] {
  return columns.map((_, at) => rows.reduce((most, row) => Math.max(most, ...paragraphs(row[at] ?? '').map(width)), 0));
}

/** Columns taken by everything before the last one. */
function before(widths: readonly number[]): number {
  return widths.slice(0, -1).reduce((sum, one) => sum + one + GAP, 0);
}

/** Cuts the widest of the first columns, one step at a time, until they fit on a line of their own. */
function shrink(widths: number[], room: number): void {
  const first = widths.length - 1;
  while (before(widths) - GAP > room) {
    let widest = 0;
    for (let at = 1; at < first; at++) if ((widths[at] ?? 0) > (widths[widest] ?? 0)) widest = at;
    const now = widths[widest] ?? 0;
    if (now <= 1) return;
    widths[widest] = now - 1;
  }
}

function lines(
  row: readonly Cell[],
  columns: readonly Column[],
  widths: readonly number[],
  below: boolean,
  room: number,
  screen: Screen,
): string[] {
  const last = columns.length - 1;
  const start = row.slice(0, last).map((cell, at) => {
    const text = cut(paragraphs(cell)[0] ?? '', widths[at] ?? 0);
    const side = columns[at]?.align === 'right' ? 'right' : 'left';
    return painted(cell, pad(text, widths[at] ?? 0, side), screen);
  });
  const tail = row[last] ?? '';
  const wrapped = paragraphs(tail).flatMap((part) => (room === Infinity ? [part] : wrap(part, room)));
  const texts = wrapped.map((text) => painted(tail, text, screen));
  const lead = start.join(' '.repeat(GAP));
  if (below) return [lead.trimEnd(), ...texts.filter((text) => text !== '').map((text) => ' '.repeat(BELOW) + text)];
  const indent = before(widths);
  const gap = start.length === 0 ? '' : ' '.repeat(GAP);
  return texts.map((text, at) => (at === 0 ? `${lead}${gap}${text}` : ' '.repeat(indent) + text).trimEnd());
}

/** Paint around the words only, not around the spaces that fill up the column. */
function painted(cell: Cell, padded: string, screen: Screen): string {
  const words = padded.trim();
  if (typeof cell === 'string' || words === '') return padded;
  return padded.replace(words, () => paint(screen, cell.style, words));
}

function paragraphs(cell: Cell): string[] {
  const text = typeof cell === 'string' ? cell : cell.text;
  return (typeof text === 'string' ? [text] : text).map(plain);
}
