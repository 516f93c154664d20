/**
 * Laws of several clouds and of budgets, tried on made-up worlds: whatever the sides say, no limit is ever exceeded, and
 * nothing happens where nobody can see.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HOST_STATES, WITH_MACHINE } from '../domain/lifecycle.ts';
import type { Plan } from '../domain/plan.ts';
import type { Budget } from '../domain/pool.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import type { Usage } from '../domain/usage.ts';
import { plan } from './plan.ts';
import { job, NOW, snapshot } from './snapshot.fixture.ts';

const CLOUDS = ['campus', 'aws', 'azure'];
const HOSTS = Array.from({ length: 9 }, (_, i) => ({
  name: `c${i + 1}`,
  ip: `10.77.0.${101 + i}`,
  cloud: CLOUDS[Math.floor(i / 3)] ?? '',
}));

const limit = fc.option(fc.integer({ min: 1, max: 20 }));
const budget: fc.Arbitrary<Budget> = fc.record({
  nodes: fc.option(fc.nat(6)),
  nodeHoursPerDay: limit,
  nodeHoursPerMonth: limit,
  moneyPerDay: limit,
  moneyPerMonth: limit,
  warnAt: fc.constantFrom(0.5, 0.8, 1),
});
const spent = fc.record({ nodeHours: fc.nat(24), money: fc.nat(24) });
const usage: fc.Arbitrary<Usage> = fc.record({
  day: spent,
  month: spent,
  dayEnds: fc.constant(NOW + 3_600_000),
  monthEnds: fc.constant(NOW + 36_000_000),
});
const brake = fc.record({
  kind: fc.constantFrom(null, null, 'capacity' as const, 'quota' as const, 'boot' as const, 'throttled' as const),
  message: fc.constant('x'),
  until: fc.option(fc.integer({ min: -2, max: 2 }).map((minutes) => NOW + minutes * 60_000)),
  strikes: fc.nat(2),
  bootFailures: fc.nat(2),
  atMost: fc.integer({ min: 1, max: 3 }),
});
const cloud = fc.record({
  brake,
  answers: fc.boolean(),
  maxNodes: fc.nat(3),
  completeReads: fc.integer({ min: 1, max: 3 }),
  budget: fc.option(budget),
  usage,
});

const world: fc.Arbitrary<Snapshot> = fc
  .record({
    states: fc.array(fc.constantFrom(...HOST_STATES, 'free' as const, 'free' as const), { minLength: 9, maxLength: 9 }),
    busy: fc.subarray(HOSTS.map((host) => host.name)),
    clouds: fc.array(cloud, { minLength: 3, maxLength: 3 }),
    jobs: fc.array(
      fc.record({ nodes: fc.integer({ min: 1, max: 4 }), exclusive: fc.boolean() }).map((ask) => job({ ask })),
      { maxLength: 8 },
    ),
    policy: fc.constantFrom('demand' as const, 'demand' as const, 'classic' as const),
    minNodes: fc.nat(3),
    maxNodes: fc.integer({ min: 3, max: 9 }),
    maxStarting: fc.constantFrom(1, 3, 100),
    budget: fc.option(budget),
    usage,
    age: fc.integer({ min: 0, max: 3_000_000 }),
  })
  .map((w) => {
    const sketches = HOSTS.map((host, i) => {
      const node = w.busy.includes(host.name) ? { hasJob: true, jobs: ['9'], state: 'busy' as const } : {};
      return [host.name, { state: w.states[i] ?? 'free', record: { since: NOW - w.age, cloud: host.cloud }, node }];
    });
    const states = CLOUDS.map((name, i) => {
      const one = w.clouds[i];
      assert.ok(one);
      const { budget: _, ...state } = one;
      return { name, readAt: NOW - 100, ...state, completeReads: one.answers ? one.completeReads : 0 };
    });
    return snapshot(Object.fromEntries(sketches), w.jobs, {
      pool: {
        hosts: HOSTS,
        policy: w.policy,
        limits: { minNodes: w.minNodes, maxNodes: w.maxNodes, maxStarting: w.maxStarting },
        clouds: CLOUDS.map((name, i) => ({
          name,
          pricePerHour: i,
          maxNodes: w.clouds[i]?.maxNodes ?? 0,
          ...(w.clouds[i]?.budget ? { budget: w.clouds[i].budget } : {}),
        })),
        ...(w.budget ? { budget: w.budget } : {}),
      },
      clouds: states,
      usage: w.usage,
      silent: new Set(
        HOSTS.filter((host) => !states.find((one) => one.name === host.cloud)?.answers).map((h) => h.name),
      ),
    });
  });

/** `PLANNER_RUNS=10000` is the long form. */
const RUNS = { numRuns: Number(process.env.PLANNER_RUNS ?? 2500) };

function law(title: string, check: (s: Snapshot, p: Plan) => void): void {
  test(title, () =>
    fc.assert(
      fc.property(world, (s) => check(s, plan(s))),
      RUNS,
    ),
  );
}

const creates = (p: Plan) =>
  p.steps.flatMap((one) => (one.kind === 'create' && one.to !== null ? (one.host ?? '') : []));
const usedUp = (budget: Budget | undefined, usage: Usage | undefined) =>
  budget !== undefined &&
  usage !== undefined &&
  [
    [budget.nodeHoursPerDay, usage.day.nodeHours],
    [budget.moneyPerDay, usage.day.money],
    [budget.nodeHoursPerMonth, usage.month.nodeHours],
    [budget.moneyPerMonth, usage.month.money],
  ].some(([most, used]) => most !== null && (used ?? 0) >= (most ?? 0));

law('never above a limit of the pool or of a cloud, whatever is asked for or kept', (s, p) => {
  const there = s.hosts.filter((host) => WITH_MACHINE.has(host.state));
  const made = creates(p);
  const most = Math.min(s.pool.limits.maxNodes, s.pool.budget?.nodes ?? 99);
  assert.ok(made.length === 0 || there.length + made.length <= most);
  for (const { name, maxNodes } of s.clouds ?? []) {
    const own = s.pool.clouds?.find((one) => one.name === name);
    const mine = made.filter((host) => HOSTS.find((one) => one.name === host)?.cloud === name);
    const has = there.filter((host) => host.cloud === name).length;
    assert.ok(mine.length === 0 || has + mine.length <= Math.min(maxNodes, own?.budget?.nodes ?? 99), name);
  }
});

law('nothing new when a budget is used up, in the pool or in that cloud', (s, p) => {
  const made = creates(p);
  if (usedUp(s.pool.budget, s.usage)) assert.deepEqual(made, []);
  for (const { name, usage: used } of s.clouds ?? []) {
    if (!usedUp(s.pool.clouds?.find((one) => one.name === name)?.budget, used)) continue;
    assert.deepEqual(
      made.filter((host) => HOSTS.find((one) => one.name === host)?.cloud === name),
      [],
    );
  }
});

law('nothing at all happens to a host whose cloud is silent, and nothing is created behind a closed brake', (s, p) => {
  for (const { host } of p.steps) assert.ok(host === null || !s.silent?.has(host), String(host));
  for (const {
    name,
    brake: { kind, until },
  } of s.clouds ?? []) {
    if (kind === null || (until !== null && until <= NOW)) continue;
    assert.ok(creates(p).every((host) => HOSTS.find((one) => one.name === host)?.cloud !== name));
  }
});

law('no drain and no delete before the second complete reading of that cloud', (s, p) => {
  for (const { kind, host, to } of p.steps) {
    if (kind !== 'delete' && !(kind === 'drain' && to !== null)) continue;
    const of = s.clouds?.find((one) => one.name === HOSTS.find((own) => own.name === host)?.cloud);
    assert.ok((of?.completeReads ?? 0) >= 2, String(host));
  }
});

law('a budget takes no node away that works', (s, p) => {
  for (const { kind, host } of p.steps) {
    if (kind !== 'delete') continue;
    assert.ok(s.nodes.get(host ?? '')?.hasJob !== true || s.nodes.get(host ?? '')?.state === 'down', String(host));
  }
});

law('the same snapshot gives the same plan', (s, p) => assert.deepEqual(plan(s), p));

test('one cloud described as several behaves as one', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...HOST_STATES, 'free' as const), { minLength: 4, maxLength: 4 }),
      fc.integer({ min: 0, max: 5 }),
      fc.integer({ min: 0, max: 4 }),
      (states, n, maxNodes) => {
        const jobs = Array.from({ length: n }, (_, i) => job({ id: `j${i}`, ask: { exclusive: true } }));
        const limits = { minNodes: 0, maxNodes, maxStarting: 9 };
        const sketch = (more: object) =>
          Object.fromEntries(states.map((state, i) => [`c${i + 1}`, { state, record: more }]));
        const one = snapshot(sketch({}), jobs, { pool: { limits } });
        const state = { name: 'a', maxNodes: 4, brake: one.brake, answers: true, readAt: NOW - 100, completeReads: 10 };
        const several = snapshot(sketch({ cloud: 'a' }), jobs, {
          pool: { limits, clouds: [{ name: 'a', pricePerHour: 0, maxNodes: 4 }] },
          clouds: [state],
          silent: new Set(),
        });
        assert.deepEqual(plan(several).steps, plan(one).steps);
      },
    ),
    { numRuns: Math.ceil(RUNS.numRuns / 5) },
  );
});
