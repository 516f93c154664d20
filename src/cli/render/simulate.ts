/**
 * `simulate` as a table: the pool that is always on, every case, and the least any policy could use.
 */
import { span } from '../../domain/words.ts';
import type { Figures } from '../../sim/figures.ts';
import { type About, describe } from '../../sim/report/about.ts';
import { caseName, grouped, hours, percent, seconds } from '../../sim/report/words.ts';
import type { Question, Result } from '../../sim/simulate.ts';
import { paint, type Screen } from './screen.ts';
import { type Column, table } from './table.ts';

const right = (head: string, spare?: number): Column =>
  spare === undefined ? { head, align: 'right' } : { head, align: 'right', spare };

const COLUMNS: readonly Column[] = [
  { head: 'POLICY' },
  right('BOOT'),
  right('IDLE'),
  right('MEAN WAIT'),
  right('ADDED'),
  right('95 %', 2),
  right('LONGEST', 4),
  right('SLOWDOWN', 3),
  right('NODE-HOURS'),
  right('WORK'),
  right('BOOTING'),
  right('IDLING'),
  right('SHARE', 5),
  right('NODES', 7),
  right('BOOTS', 6),
];

export function renderSimulation(about: About, question: Question, result: Result, screen: Screen): string[] {
  const priced = question.price !== null;
  // The last column takes what is left of the line: an empty one, so that the numbers before it stand in line.
  const columns = [...COLUMNS, ...(priced ? [right('COST')] : []), { head: '' }];
  const cells = (name: string, boot: string, idle: string, figures: Figures, added: string) => [
    name,
    boot,
    idle,
    ...ofWaits(figures, added),
    ...ofHours(figures),
    ...(priced ? [grouped(figures.cost ?? 0, 2)] : []),
    '',
  ];
  const rows = [
    cells('always on', '', '', result.alwaysOn.figures, ''),
    ...result.cases.map((one) => cells(one.policy, span(one.boot), span(one.idle), one.figures, seconds(one.added))),
    ...result.bounds.flatMap(({ boot, foresight, floor }) => [
      least('least, no job waits longer', boot, foresight, columns.length),
      least('least, however long', boot, floor, columns.length),
    ]),
  ];
  return [
    ...describe(about, question),
    '',
    ...table(columns, rows, screen),
    '',
    paint(
      screen,
      'dim',
      'Waits in seconds. WORK + BOOTING + IDLING = NODE-HOURS; SHARE is the part that idles; NODES the most at one time.',
    ),
    ...result.cases.flatMap((one) =>
      one.figures.warnings.map(({ text, times }) => `${caseName(one)}: the service warned (${times} x): ${text}`),
    ),
  ];
}

function ofWaits({ waits }: Figures, added: string): string[] {
  return [seconds(waits.mean), added, seconds(waits.p95), seconds(waits.most), grouped(waits.slowdown, 1)];
}

function ofHours({ time, total, peak, boots }: Figures): string[] {
  const { parts, total: whole } = hours(time.work, time.boot, time.idle);
  return [whole, ...parts, percent(time.idle, total), grouped(peak), grouped(boots)];
}

function least(name: string, boot: number, ms: number, columns: number): string[] {
  const row = [name, span(boot), '', '', '', '', '', '', hours(ms).total];
  return [...row, ...new Array<string>(columns - row.length).fill('')];
}
