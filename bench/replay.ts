/**
 * bench/replay: how fast `simulate` replays a log, how much memory that takes, and which part of it is the planner's.
 * `node bench/replay.ts [LOG] [--boot 60] [--idle 600] [--policy demand] [--hosts N] [--json FILE]`. Public logs in the
 * Standard Workload Format: https://www.cs.huji.ac.il/labs/parallel/workload/. Without a log: a made-up one.
 */
import { type Profiler, Session } from 'node:inspector/promises';
import { parseArgs } from 'node:util';
import { alwaysOn } from '../src/sim/always-on.ts';
import { fit } from '../src/sim/fit.ts';
import { workload } from '../src/sim/fixtures/synthetic.ts';
import { readTrace } from '../src/sim/read/read.ts';
import { replay } from '../src/sim/replay.ts';
import { mean, mostMemory, printFigures } from './figures.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    boot: { type: 'string', default: '60' },
    idle: { type: 'string', default: '600' },
    policy: { type: 'string', default: 'demand' },
    hosts: { type: 'string' },
    json: { type: 'string' },
  },
});
const policy = values.policy === 'classic' ? 'classic' : 'demand';
const [log] = positionals;

const { jobs, shape } = await workOf(log);
const started = performance.now();
const on = alwaysOn(jobs, shape, 1);
const alone = performance.now() - started;

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.start');
const from = { at: performance.now(), cpu: process.cpuUsage() };
const replayed = await replay({
  jobs,
  shape,
  policy,
  boot: Number(values.boot) * 1000,
  bootSpread: 0,
  idle: Number(values.idle) * 1000,
  poll: 5000,
  stop: 0,
  billingUnit: 1,
  bucket: null,
  seed: 1,
});
const wall = performance.now() - from.at;
const cpu = process.cpuUsage(from.cpu);
const { profile } = await session.post('Profiler.stop');
const planner = shareOf(profile, '/planner/');
const total = (time: typeof on.meter.time) => (time.boot + time.work + time.idle) / 3_600_000;

printFigures(
  `replay: ${jobs.length} jobs of ${log ?? 'a made-up log'} on ${shape.hosts} hosts, ${policy}, boot ${values.boot} s, idle ${values.idle} s`,
  [
    { what: 'time', value: wall / 1000, unit: 's', against: { value: 60, what: 'the limit for KTH-SP2-1996' } },
    { what: 'CPU', value: (cpu.user + cpu.system) / 1e6, unit: 's', against: { value: wall / 1000, what: 'the time' } },
    {
      what: 'memory (most resident)',
      value: mostMemory(),
      unit: 'MB',
      against: { value: 500, what: 'the limit' },
    },
    { what: 'looks', value: replayed.looks, unit: '' },
    { what: 'time per look', value: (wall * 1000) / replayed.looks, unit: 'us' },
    {
      what: 'of that the planner',
      value: (planner * wall * 1000) / replayed.looks,
      unit: 'us',
      against: { value: (wall * 1000) / replayed.looks, what: 'a look' },
    },
    {
      what: 'the scheduler alone (always on)',
      value: alone / 1000,
      unit: 's',
      against: { value: wall / 1000, what: 'the replay' },
    },
    {
      what: 'node-hours',
      value: total(replayed.meter.time),
      unit: 'h',
      against: { value: total(on.meter.time), what: 'always on' },
    },
    {
      what: 'mean wait',
      value: mean([...replayed.waits]) / 1000,
      unit: 's',
      against: { value: mean([...on.waits]) / 1000, what: 'always on' },
    },
  ],
  values.json,
);

async function workOf(path: string | undefined) {
  if (path === undefined) {
    const hosts = Number(values.hosts ?? 64);
    return { jobs: workload(10_000, hosts), shape: { hosts, cpus: 1, memoryMiB: 0 } };
  }
  const trace = await readTrace([path]);
  const hosts = Number(values.hosts ?? trace.machine?.nodes ?? 100);
  const shape = { hosts, cpus: 1, memoryMiB: 0 };
  return { jobs: fit(trace.jobs, shape, { from: null, days: null, queue: null }).jobs, shape };
}

/** The part of the samples that were taken in files of this folder, 0 to 1. */
function shareOf(profile: Profiler.Profile, folder: string): number {
  const inside = new Set(profile.nodes.filter((node) => node.callFrame.url.includes(folder)).map((node) => node.id));
  let all = 0;
  let ours = 0;
  for (const [at, id] of (profile.samples ?? []).entries()) {
    const took = profile.timeDeltas?.[at] ?? 0;
    all += took;
    if (inside.has(id)) ours += took;
  }
  return all === 0 ? 0 : ours / all;
}
