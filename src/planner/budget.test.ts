import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Budget } from '../domain/pool.ts';
import type { Usage } from '../domain/usage.ts';
import { budgetStop } from './budget.ts';
import { plan } from './plan.ts';
import { BUSY, job, NOW, running, snapshot } from './snapshot.fixture.ts';

const HOUR = 3_600_000;
const NONE: Budget = {
  nodes: null,
  nodeHoursPerDay: null,
  nodeHoursPerMonth: null,
  moneyPerDay: null,
  moneyPerMonth: null,
  warnAt: 0.8,
};
const used = (day: number, month: number): Usage => ({
  day: { nodeHours: day, money: 2 * day },
  month: { nodeHours: month, money: 2 * month },
  dayEnds: NOW + 5 * HOUR,
  monthEnds: NOW + 100 * HOUR,
});

test('a budget stops at its limit, not before, and says until when', () => {
  const budget = { ...NONE, nodeHoursPerDay: 20, moneyPerMonth: 400 };
  assert.equal(budgetStop(budget, used(19.99, 199), NOW), null);
  assert.equal(
    budgetStop(budget, used(20, 199), NOW),
    'the budget of 20 node hours per day is used up (20); it begins anew in 5 h',
  );
  assert.equal(
    budgetStop(budget, used(20.5, 200.25), NOW),
    'the budget of 400 money per month is used up (400.5); it begins anew in 4 days',
  );
  assert.equal(budgetStop(undefined, used(99, 99), NOW), null);
});

const POOL = { budget: { ...NONE, nodeHoursPerDay: 20 }, clouds: [{ name: 'a', pricePerHour: 1, maxNodes: 4 }] };

test('a used-up budget: nothing is created, each job hears why, and work goes on', () => {
  const s = snapshot(
    { c1: { state: 'ready', node: BUSY } },
    [running('c1'), job({ id: '7' }), job({ id: '8', ask: { nodes: 2 } })],
    {
      pool: POOL,
      usage: used(21, 30),
    },
  );
  const { steps, verdicts } = plan(s);
  assert.deepEqual(
    steps.map(({ kind, host }) => [kind, host]),
    [['wait', null]],
  );
  for (const verdict of verdicts) assert.match(verdict.because, /the budget of 20 node hours per day is used up/);
  const open = plan({ ...s, usage: used(19, 30) });
  assert.ok(open.steps.some((one) => one.kind === 'create'));
});

test('MIN_NODES does not go beyond a budget, and lets idle nodes go when it is used up', () => {
  const limits = { minNodes: 3, maxNodes: 4, maxStarting: 9 };
  const pool = { ...POOL, limits, budget: { ...POOL.budget, nodes: 2 } };
  const kept = plan(snapshot({}, [], { pool, usage: used(0, 0) })).steps.filter((one) => one.kind === 'create');
  assert.equal(kept.length, 2);
  const idle = { idleSince: NOW - 2 * HOUR, since: NOW - 2 * HOUR };
  const ready = { state: 'ready' as const, record: idle };
  const clocks = { emptySince: NOW - 2 * HOUR, noWaitingSince: NOW - 2 * HOUR };
  const s = snapshot({ c1: ready, c2: ready }, [], { pool, usage: used(20, 20), clocks });
  assert.deepEqual(
    plan(s).steps.map(({ kind, host }) => [kind, host]),
    [
      ['drain', 'c1'],
      ['drain', 'c2'],
    ],
  );
  assert.deepEqual(plan({ ...s, usage: used(1, 1) }).steps, [], 'within the budget they are kept');
});
