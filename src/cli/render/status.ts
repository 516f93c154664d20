/**
 * `status`: the specification's tally first, then what a tired administrator asks, in that order: how many nodes, why
 * does anything wait, what is being done, and last, next to the prompt, what is wrong.
 */
import type { BudgetView, ReadingView, StatusView } from '../../controller/view.ts';
import { HOST_STATES } from '../../domain/lifecycle.ts';
import type { Usage } from '../../domain/usage.ts';
import { amount, count } from '../../domain/words.ts';
import type { Screen, Style } from './screen.ts';
import { type Cell, table } from './table.ts';
import { pad, plain } from './text.ts';
import { ago, since } from './times.ts';

export function renderStatus(view: StatusView, screen: Screen): string[] {
  const rows: Cell[][] = [];
  const say = (label: string, text: string | readonly string[], style?: Style) => {
    if (text.length > 0)
      rows.push([
        { text: label, style: style ?? 'bold' },
        { text, style },
      ]);
  };
  say('nodes', nodes(view));
  say(
    'waiting',
    view.waitingBecause.map((why) => `${count(why.jobs, 'job', 'jobs')}: ${why.text}`),
  );
  say('plan', view.summary);
  say('clouds', view.clouds?.map((cloud) => `${cloud.name} ${cloud.nodes} of ${cloud.maxNodes}`).join(', ') ?? '');
  if (view.usage !== undefined) say('used', used(view.usage, view.budget));
  for (const state of ['ok', 'warning', 'stopped'] as const)
    say(
      'budget',
      (view.budget ?? []).filter((one) => one.state === state).map((one) => budget(one, screen.now)),
      BUDGET[state],
    );
  say('trouble', trouble(view, screen.now), 'red');
  if (view.brake !== null) say('pause', pause(view.brake, '', screen.now), 'yellow');
  for (const { name, brake } of view.clouds ?? [])
    if (brake !== null) say('pause', pause(brake, ` in ${name}`, screen.now), 'yellow');
  say('warning', view.warnings, 'yellow');
  say('service', about(view, screen.now));
  if (view.active?.expected || (view.active?.standbys.length ?? 0) > 0) say('active', active(view.active));
  return [...tally(view), '', ...table([{ head: '' }, { head: '' }], rows, screen)];
}

const BUDGET = { ok: undefined, warning: 'yellow', stopped: 'red' } as const;

/** Money only where somebody named a price. */
function used({ day, month }: Usage, budgets: StatusView['budget']): string {
  const priced = month.money > 0 || budgets?.some((one) => one.what.startsWith('money')) === true;
  const say = (spent: Usage['day']) =>
    `${amount(spent.nodeHours)} node hours${priced ? ` for ${amount(spent.money)}` : ''}`;
  return `today ${say(day)}, this month ${say(month)}`;
}

function budget(one: BudgetView, now: number): string {
  const whose = one.cloud === null ? '' : `${one.cloud}: `;
  const part = one.endsAt === null || one.limit === 0 ? '' : ` (${Math.floor((100 * one.used) / one.limit)} %)`;
  const stop = one.state === 'stopped' ? '; no new nodes, those that work go on' : '';
  const anew = one.endsAt === null ? '' : `; begins anew in ${since(now, one.endsAt)}`;
  return `${whose}${amount(one.used)} of ${amount(one.limit)} ${one.what}${part}${stop}${anew}`;
}

/** How each batch system calls waiting and running: these two lines are always there. */
const CODES: Readonly<Record<string, readonly [string, string]>> = {
  torque: ['Q', 'R'],
  pbs: ['Q', 'R'],
  gridengine: ['qw', 'r'],
};

/** `3 PD` and `1 R` as the specification counts them, waiting first, other states after them; `?` before any reading. */
function tally(view: StatusView): string[] {
  const codes = CODES[view.batch.kind] ?? ['PD', 'R'];
  const counts = new Map<string, number | string>(codes.map((code) => [code, view.tally === null ? '?' : 0]));
  const given = Object.entries(view.tally ?? {}).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  for (const [code, n] of given) counts.set(code, n);
  const digits = Math.max(...[...counts.values()].map((n) => String(n).length));
  return [...counts].map(([code, n]) => `${pad(String(n), digits, 'right')} ${plain(code)}`);
}

/** Those that work first, then those on their way, then the rest. */
const ORDER = ['ready', ...HOST_STATES.filter((state) => state !== 'ready' && state !== 'free'), 'free'] as const;

function nodes(view: StatusView): string {
  const parts = ORDER.flatMap((state) => {
    const n = view.hosts[state] ?? 0;
    return n === 0 ? [] : [`${n} ${state}`];
  });
  const limit = view.maxNodes < view.registered ? `, ${view.maxNodes} at one time` : '';
  return `${parts.join(', ') || 'none'} (${view.registered} registered${limit})`;
}

function trouble(view: StatusView, now: number): string[] {
  const clouds = view.clouds?.map(({ name, reading }) => ({ side: `cloud ${name}`, reading }));
  const sides = [
    { side: 'batch system', reading: view.batch },
    ...(clouds ?? [{ side: 'cloud', reading: view.cloud }]),
  ];
  const lines = sides.filter(({ reading }) => !reading.ok).map(({ side, reading }) => failing(side, reading, now));
  if (lines.length === 0) return [];
  const apart = view.batch.ok && clouds?.some(({ reading }) => reading.ok);
  if (apart) return [...lines, 'Until it answers, no node is created, drained or deleted there; the others go on.'];
  const old = view.batch.ok || view.tally === null ? '' : ' The figures above are from the last complete reading.';
  return [...lines, `Until it answers, no node is created, drained or deleted; running jobs go on.${old}`];
}

function failing(side: string, reading: ReadingView, now: number): string {
  const how = reading.failingSince === null ? '' : ` for ${since(reading.failingSince, now)}`;
  const good =
    reading.lastGoodAt === null ? 'never read completely' : `last good reading ${ago(reading.lastGoodAt, now)}`;
  return `No good answer from the ${side} (${reading.kind})${how}, ${good}: ${reading.message}`;
}

function pause(brake: NonNullable<StatusView['brake']>, where: string, now: number): string {
  const end = brake.until === null ? 'until something changes, or `hybrid-cloud release`' : ended(brake.until, now);
  return `No new nodes${where} ${end} (${brake.kind}): ${brake.message}`;
}

function ended(until: number, now: number): string {
  return until <= now ? 'until the next look' : `for ${since(now, until)} more`;
}

function about(view: StatusView, now: number): string {
  const next =
    view.nextLookAt === null || view.nextLookAt <= now ? 'looking now' : `next look ${ago(view.nextLookAt, now)}`;
  const where = view.pool === view.queue ? `queue ${view.queue}` : `queue ${view.queue}, pool ${view.pool}`;
  return (
    `${where}, policy ${view.policy}; ${view.batch.kind} read ${readAt(view.batch, now)}, ` +
    `${clouds(view, now)}, ${next}; up ${since(view.startedAt, now)}, pid ${view.pid}, ` +
    `version ${view.version}`
  );
}

function active(view: StatusView['active']): string {
  if (view === undefined) return '';
  const { host, pid, token, standbys } = view;
  const others = standbys.map((one) => `pid ${one.pid} on ${one.host}`);
  return `pid ${pid} on ${host}, token ${token}; ${others.length === 0 ? 'nobody stands by' : `standing by: ${others.join(', ')}`}`;
}

function clouds(view: StatusView, now: number): string {
  const several = view.clouds?.map(({ name, reading }) => `${name} ${readAt(reading, now)}`).join(', ');
  return several ?? `${view.cloud.kind} ${readAt(view.cloud, now)}`;
}

function readAt(reading: ReadingView, now: number): string {
  return reading.lastGoodAt === null ? 'never' : ago(reading.lastGoodAt, now);
}
