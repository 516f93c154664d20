// time limit: 600 s
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { alwaysOn } from './always-on.ts';
import { bounds } from './bounds.ts';
import { burst, START, workload } from './fixtures/synthetic.ts';
import type { SimJob } from './job.ts';
import { LEAD, type Replayed, type ReplayOptions, replay } from './replay.ts';

const SECOND = 1000;
const HOUR = 3600 * SECOND;

function run(jobs: readonly SimJob[], more: Partial<ReplayOptions> = {}): Promise<Replayed> {
  return replay({
    jobs,
    shape: { hosts: 12, cpus: 1, memoryMiB: 0 },
    policy: 'demand',
    boot: 60 * SECOND,
    bootSpread: 0,
    idle: 600 * SECOND,
    poll: 5 * SECOND,
    stop: 0,
    billingUnit: 1,
    bucket: null,
    seed: 1,
    ...more,
  });
}

const total = ({ meter: { time } }: Replayed) => time.boot + time.work + time.idle;
const facts = (replayed: Replayed) => ({
  waits: [...replayed.waits],
  time: { ...replayed.meter.time },
  boots: replayed.meter.boots,
  peak: replayed.meter.peak,
  lastEnd: replayed.lastEnd,
  curve: [...replayed.meter.series.averages('idle')],
  warnings: [...replayed.warnings],
});

for (const policy of ['demand', 'classic'] as const) {
  for (const boot of [60, 300]) {
    test(`leaving out looks at which nothing can be new changes nothing: ${policy}, boot ${boot} s`, async () => {
      const jobs = workload(150, 12);
      const settings = { policy, boot: boot * SECOND, bootSpread: 0.2, stop: 7 * SECOND };
      const quick = await run(jobs, settings);
      const slow = await run(jobs, { ...settings, everyLook: true });
      assert.deepEqual(facts(quick), facts(slow));
      assert.ok(quick.looks * 5 < slow.looks, `${quick.looks} looks instead of ${slow.looks}`);
    });
  }
}

test('the same seed gives the same result, another seed another one', async () => {
  const jobs = workload(200, 12);
  const first = facts(await run(jobs, { seed: 5, bootSpread: 0.3 }));
  assert.deepEqual(facts(await run(jobs, { seed: 5, bootSpread: 0.3 })), first);
  assert.notDeepEqual(facts(await run(jobs, { seed: 6, bootSpread: 0.3 })).waits, first.waits);
});

test('every job runs once, for its whole time; work is exactly what the jobs took', async () => {
  const jobs = workload(200, 12);
  const work = jobs.reduce((sum, job) => sum + job.nodes * job.run, 0);
  for (const policy of ['demand', 'classic'] as const) {
    const replayed = await run(jobs, { policy });
    assert.equal(replayed.meter.time.work, work);
    assert.ok([...replayed.waits].every((wait) => wait >= 0));
    assert.equal(replayed.meter.machines, 0, 'nothing is left behind');
    assert.deepEqual([...replayed.warnings], []);
  }
});

test('one job on one host: boot, work and tail are what they must be', async () => {
  const replayed = await run(burst(1, 1000 * SECOND));
  const { boot, work, idle } = replayed.meter.time;
  assert.equal(work, 1000 * SECOND);
  assert.ok(boot >= 60 * SECOND && boot <= 62 * SECOND, `boot ${boot}`);
  assert.ok(idle >= 600 * SECOND && idle <= 612 * SECOND, `idle ${idle}`);
  assert.equal(replayed.meter.boots, 1);
  const wait = replayed.waits[0] ?? 0;
  assert.ok(wait >= 60 * SECOND && wait <= 67 * SECOND, `wait ${wait}`);
});

test('with a submit hook the service looks when a job comes: no wait for the next look', async () => {
  const jobs = workload(150, 12);
  const [without, with_] = [await run(jobs), await run(jobs, { hook: true })];
  for (const seed of [1, 2, 3]) {
    const [wait = 0] = (await run(burst(1, 1000 * SECOND), { hook: true, seed })).waits;
    assert.ok(wait >= 60 * SECOND && wait <= 61.5 * SECOND, `wait ${wait}`);
  }
  const sum = ({ waits }: Replayed) => waits.reduce((all, wait) => all + wait, 0);
  assert.ok(sum(with_) < sum(without));
  assert.equal(with_.meter.time.work, without.meter.time.work);
});

test('lives are paid in whole billing units', async () => {
  const { meter } = await run(burst(3, 1000 * SECOND), { billingUnit: HOUR });
  assert.equal(meter.billed, 3 * HOUR);
});

test('time that a machine needs to stop is idle time', async () => {
  const without = await run(burst(2, 1000 * SECOND));
  const with_ = await run(burst(2, 1000 * SECOND), { stop: 30 * SECOND });
  assert.equal(total(with_) - total(without), 2 * 30 * SECOND);
  assert.equal(with_.meter.time.idle - without.meter.time.idle, 2 * 30 * SECOND);
});

test('a pool that is always on: nobody waits for a machine, and all of its time is paid', () => {
  const jobs = burst(12, HOUR);
  const on = alwaysOn(jobs, { hosts: 12, cpus: 1, memoryMiB: 0 }, 1);
  assert.deepEqual([...on.waits], new Array(12).fill(0));
  assert.equal(total(on), 12 * HOUR);
  assert.equal(on.meter.time.work, 12 * HOUR);
});

test('several jobs share a host when it has the CPUs and the memory', async () => {
  const jobs = burst(8, HOUR).map((job) => ({ ...job, cpus: 2 }));
  const byCpus = await run(jobs, { shape: { hosts: 8, cpus: 8, memoryMiB: 0 } });
  assert.equal(byCpus.meter.boots, 2);
  const large = jobs.map((job) => ({ ...job, memoryMiB: 3000 }));
  const byMemory = await run(large, { shape: { hosts: 8, cpus: 8, memoryMiB: 8000 } });
  assert.equal(byMemory.meter.boots, 4);
});

test('a cloud that throttles: all machines come, as fast as it lets them', async () => {
  const jobs = burst(60, 20 * HOUR);
  const shape = { hosts: 60, cpus: 1, memoryMiB: 0 };
  const replayed = await run(jobs, { shape, bucket: { burst: 20, perSecond: 0.5, filled: 20 } });
  const last = Math.max(...replayed.waits) / SECOND;
  const curve = 60 + (60 - 20) / 0.5;
  assert.ok(last >= curve && last <= curve + 8, `the last one after ${last} s, the curve says ${curve} s`);
  assert.ok([...replayed.warnings.keys()].some((text) => /^the cloud throttles the creation of machines/.test(text)));
});

test('a job that no open or new host can ever hold ends the replay with an error instead of going on for ever', async () => {
  const jobs = burst(1, HOUR).map((job) => ({ ...job, nodes: 13 }));
  await assert.rejects(run(jobs), /stands still: 1 jobs wait, the first is 1 \(13 hosts\)/);
  assert.throws(() => alwaysOn(jobs, { hosts: 12, cpus: 1, memoryMiB: 0 }, 1), /no host can hold/);
});

test('no policy uses less than the floor, and the one that knows the future lies between', async () => {
  const shape = { hosts: 6, cpus: 1, memoryMiB: 0 };
  const anyJob = fc.record({
    gap: fc.integer({ min: 0, max: 2000 }),
    run: fc.integer({ min: 1, max: 3000 }),
    nodes: fc.integer({ min: 1, max: 6 }),
  });
  const property = fc.asyncProperty(fc.array(anyJob, { minLength: 1, maxLength: 12 }), async (list) => {
    let at = START;
    const jobs = list.map(({ gap, run: seconds, nodes }, number): SimJob => {
      at += gap * SECOND;
      const run = seconds * SECOND;
      return { id: String(number), number, submit: at, run, limit: run, nodes, cpus: 1, memoryMiB: 0 };
    });
    const boot = 120 * SECOND;
    const on = alwaysOn(jobs, shape, 1);
    const { floor, foresight } = bounds(jobs, on.starts, shape, boot);
    const demand = await run(jobs, { shape, boot, idle: 60 * SECOND });
    assert.ok(floor <= foresight);
    assert.ok(floor <= total(demand), `${floor} > ${total(demand)}`);
    assert.ok(demand.meter.peak <= shape.hosts);
    assert.ok(foresight <= total(on) + shape.hosts * boot);
  });
  await fc.assert(property, { numRuns: 40 });
});

test('the service is awake before the first job comes', () => {
  assert.ok(LEAD >= 60 * SECOND);
});
