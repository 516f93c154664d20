/**
 * bench/policies: what the policies come to on whole logs, for boot and idle times of all kinds: node-hours beside the pool
 * that is always on, beside `classic` and beside the least that any policy could use, and the wait that is added.
 * `node bench/policies.ts LOG... [--boot 60,300] [--idle 60,300,600,1800] [--days N] [--threads 1] [--json FILE]`. The two
 * logs of docs/bench.md take about 12 minutes of one core.
 */
import { parseArgs } from 'node:util';
import { fit } from '../src/sim/fit.ts';
import { readTrace } from '../src/sim/read/read.ts';
import { type CaseResult, type Question, type Result, simulate } from '../src/sim/simulate.ts';
import { startThreads } from '../src/sim/threads.ts';
import { printRows, ratio } from './figures.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    boot: { type: 'string', default: '60,300' },
    idle: { type: 'string', default: '60,300,600,1800' },
    days: { type: 'string' },
    threads: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
});

interface Row {
  readonly log: string;
  readonly policy: string;
  readonly bootSeconds: number;
  readonly idleSeconds: number;
  readonly nodeHours: number;
  readonly workHours: number;
  readonly bootHours: number;
  readonly idleHours: number;
  /** work + boot + idle is the whole, to the millisecond. */
  readonly addsUp: boolean;
  readonly ofAlwaysOn: number;
  readonly ofClassic: number;
  readonly ofLeast: number;
  readonly addedSeconds: number;
  readonly addedBoots: number;
}

const rows: Row[] = [];
for (const log of positionals) {
  const question = await questionOf(log);
  await using threads = startThreads(question, Number(values.threads));
  const result = await simulate(question, threads.run);
  rows.push(...result.cases.map((one) => rowOf(log, one, result)));
}
const fixed = (value: number) => value.toFixed(1);
printRows(
  'policies: node-hours and waits on whole logs; POLL_INTERVAL 5 s, no submit hook, seed 1',
  [
    { head: 'log', of: ({ log }) => log.replace(/^.*\/|\.swf.*$/g, '') },
    { head: 'policy', of: ({ policy }) => policy },
    { head: 'boot', of: ({ bootSeconds }) => `${bootSeconds} s` },
    { head: 'idle', of: ({ idleSeconds }) => `${idleSeconds} s` },
    { head: 'node-hours', of: ({ nodeHours }) => fixed(nodeHours) },
    { head: 'work', of: ({ workHours }) => fixed(workHours) },
    { head: 'boot', of: ({ bootHours }) => fixed(bootHours) },
    { head: 'idle tail', of: ({ idleHours }) => fixed(idleHours) },
    { head: 'sum', of: ({ addsUp }) => (addsUp ? 'exact' : 'WRONG') },
    { head: 'of always on', of: ({ ofAlwaysOn }) => ratio(ofAlwaysOn, 1) },
    { head: 'of classic', of: ({ ofClassic }) => ratio(ofClassic, 1) },
    { head: 'of the least', of: ({ ofLeast }) => ratio(ofLeast, 1) },
    { head: 'wait added', of: ({ addedSeconds }) => `${fixed(addedSeconds)} s` },
    { head: 'in boot times', of: ({ addedBoots }) => addedBoots.toFixed(2) },
  ],
  rows,
  values.json,
);

async function questionOf(log: string): Promise<Question> {
  const trace = await readTrace([log]);
  const shape = { hosts: trace.machine?.nodes ?? 100, cpus: 1, memoryMiB: 0 };
  const list = (text: string) => text.split(',').map((seconds) => Number(seconds) * 1000);
  const days = values.days === undefined ? null : Number(values.days);
  return {
    jobs: fit(trace.jobs, shape, { from: null, days, queue: null }).jobs,
    shape,
    policies: ['demand', 'classic'],
    boots: list(values.boot),
    idles: list(values.idle),
    poll: 5000,
    stop: 0,
    bootSpread: 0,
    billingUnit: 1,
    bucket: null,
    price: null,
    seed: 1,
    hook: false,
  };
}

function rowOf(log: string, one: CaseResult, result: Result): Row {
  const { time, total } = one.figures;
  const classic = result.cases.find(
    ({ policy, boot, idle }) => policy === 'classic' && boot === one.boot && idle === one.idle,
  );
  const least = result.bounds.find(({ boot }) => boot === one.boot)?.foresight ?? Number.NaN;
  const hours = (ms: number) => ms / 3_600_000;
  return {
    log,
    policy: one.policy,
    bootSeconds: one.boot / 1000,
    idleSeconds: one.idle / 1000,
    nodeHours: hours(total),
    workHours: hours(time.work),
    bootHours: hours(time.boot),
    idleHours: hours(time.idle),
    addsUp: Number.isSafeInteger(total) && time.work + time.boot + time.idle === total,
    ofAlwaysOn: total / result.alwaysOn.figures.total,
    ofClassic: total / (classic?.figures.total ?? Number.NaN),
    ofLeast: total / least,
    addedSeconds: one.added / 1000,
    addedBoots: one.added / one.boot,
  };
}
