/**
 * The report: one HTML file that needs nothing else, no script and no network, readable in the light and in the dark.
 */
import { span } from '../../domain/words.ts';
import type { Curves, Figures } from '../figures.ts';
import type { CaseResult, Question, Result } from '../simulate.ts';
import { type About, describe } from './about.ts';
import { type Bar, bars, safe, timeChart } from './chart.ts';
import { STYLE } from './style.ts';
import { caseName, grouped, hours, percent, seconds } from './words.ts';

export function reportHtml(about: About, question: Question, result: Result): string {
  const { cases } = result;
  const all: readonly [string, Figures][] = [
    ['always on', result.alwaysOn.figures],
    ...cases.map((one): [string, Figures] => [caseName(one), one.figures]),
  ];
  const least = result.bounds.flatMap(({ boot, foresight, floor }) => [
    bound(`least, no job waits longer, boot ${span(boot)}`, foresight),
    bound(`least, however long jobs wait, boot ${span(boot)}`, floor),
  ]);
  const costs = all.filter(([, figures]) => figures.cost !== null);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Simulation: ${safe(about.files.join(', '))}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>What this queue would have cost</h1>
${describe(about, question)
  .map((line) => `<p>${safe(line)}</p>`)
  .join('\n')}
${section('Figures', table(result))}
${section(
  'Node-hours',
  `${legend(['work', 'boot', 'idle', 'bound'])}${bars('Node-hours', [...all.map(([name, figures]) => nodeHours(name, figures)), ...least])}`,
)}
${section(
  'Mean wait, seconds',
  bars(
    'Mean wait',
    all.map(([name, { waits }]) => single(name, 'wait', waits.mean, seconds(waits.mean))),
  ),
)}
${
  costs.length === 0
    ? ''
    : section(
        'Cost',
        bars(
          'Cost',
          costs.map(([name, { cost }]) => single(name, 'cost', cost ?? 0, grouped(cost ?? 0, 2))),
        ),
      )
}
${section('Over time', `<p>Above: hosts that work, boot and idle. Below: hosts the waiting jobs ask for, each to a scale of its own. Averages over equal stretches of time.</p>${legend(['work', 'boot', 'idle', 'wait'])}${overTime(result, question.shape.hosts)}`)}
</body>
</html>
`;
}

function section(title: string, inside: string): string {
  return `<section><h2>${safe(title)}</h2>${inside}</section>`;
}

const MEANING: Readonly<Record<string, string>> = {
  work: 'works: at least one job on it',
  boot: 'boots: asked for, takes no job yet',
  idle: 'idle: paid, without a job',
  bound: 'the least any policy could use',
  wait: 'asked for by waiting jobs',
};

function legend(kinds: readonly string[]): string {
  return `<p class="legend">${kinds.map((kind) => `<span><i class="${kind}"></i>${MEANING[kind] ?? kind}</span>`).join(' ')}</p>`;
}

const HEADS = [
  '',
  'mean wait, s',
  'added, s',
  '95 % wait less, s',
  'longest, s',
  'slowdown',
  'node-hours',
  'work',
  'boot',
  'idle',
  'idle share',
  'most nodes',
  'boots',
  'cost',
];

function table(result: Result): string {
  const rows = [
    row('always on', result.alwaysOn.figures, ''),
    ...result.cases.map((one) => row(caseName(one), one.figures, seconds(one.added))),
    ...result.bounds.flatMap(({ boot, foresight, floor }) => [
      boundRow(`least, no job waits longer, boot ${span(boot)}`, foresight),
      boundRow(`least, however long jobs wait, boot ${span(boot)}`, floor),
    ]),
  ];
  const heads = HEADS.map((head) => `<th>${safe(head)}</th>`).join('');
  return `<div class="wide"><table><thead><tr>${heads}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
}

function row(name: string, { waits, time, total, peak, boots, cost }: Figures, added: string): string {
  const { parts, total: whole } = hours(time.work, time.boot, time.idle);
  const cells = [
    seconds(waits.mean),
    added,
    seconds(waits.p95),
    seconds(waits.most),
    grouped(waits.slowdown, 2),
    whole,
    ...parts,
    percent(time.idle, total),
    grouped(peak),
    grouped(boots),
    cost === null ? '' : grouped(cost, 2),
  ];
  return `<tr><th>${safe(name)}</th>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

/** Bounds are node-hours, and nothing else is known of them. */
function boundRow(name: string, ms: number): string {
  const cells = HEADS.slice(1).map((head) => `<td>${head === 'node-hours' ? hours(ms).total : ''}</td>`);
  return `<tr class="least"><th>${safe(name)}</th>${cells.join('')}</tr>`;
}

function nodeHours(name: string, { time }: Figures): Bar {
  const { parts, total } = hours(time.work, time.boot, time.idle);
  const part = (kind: 'work' | 'boot' | 'idle', at: number) => ({
    kind,
    value: time[kind],
    says: `${name}: ${parts[at]} node-hours ${kind}`,
  });
  return { name, parts: [part('work', 0), part('boot', 1), part('idle', 2)], label: total };
}

function bound(name: string, ms: number): Bar {
  return single(name, 'bound', ms, hours(ms).total);
}

function single(name: string, kind: string, value: number, label: string): Bar {
  return { name, parts: [{ kind, value, says: `${name}: ${label}` }], label };
}

/** All to one scale of time, so that they can be compared by eye. */
function overTime(result: Result, hosts: number): string {
  const charts: readonly { name: string; curves: Curves }[] = [
    { name: 'always on', curves: result.alwaysOn.curves },
    ...result.cases.map((one: CaseResult) => ({ name: caseName(one), curves: one.curves })),
  ];
  const from = Math.min(...charts.map(({ curves }) => curves.start));
  const to = Math.max(...charts.map(({ curves }) => curves.start + curves.values.work.length * curves.width));
  return charts
    .map(({ name, curves: { start, width, values } }) => {
      const layers = (['work', 'boot', 'idle'] as const).map((kind) => ({ kind, values: values[kind] }));
      const common = { start, width, from, to };
      const nodes = timeChart({ ...common, title: `${name}: hosts`, layers, atLeast: hosts });
      const waits = timeChart({
        ...common,
        title: `${name}: queue`,
        layers: [{ kind: 'wait', values: values.hosts }],
        atLeast: 1,
      });
      return `<h3>${safe(name)}</h3>${nodes}${waits}`;
    })
    .join('\n');
}
