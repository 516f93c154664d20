/**
 * Budgets in a world of fakes: what machines cost is counted exactly, also over crashes, the soft warning comes once, the
 * hard stop holds, and the next day begins anew.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Budget } from '../domain/pool.ts';
import { dayOf } from '../lib/calendar.ts';
import { makeWorld, type World } from './world.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const NONE: Budget = {
  nodes: null,
  nodeHoursPerDay: null,
  nodeHoursPerMonth: null,
  moneyPerDay: null,
  moneyPerMonth: null,
  warnAt: 0.8,
};

function world(budget: Partial<Budget>, more: Parameters<typeof makeWorld>[0] = {}): World {
  return makeWorld({
    ...more,
    pool: {
      clouds: [{ name: 'cloud', pricePerHour: 2, maxNodes: 4 }],
      budget: { ...NONE, ...budget },
      ...more.pool,
    },
  });
}

const told = (of: World, what: RegExp) => of.store.events(5000).filter((event) => what.test(event.text)).length;
const status = (of: World) => of.controller.control.status();

/** Truth: machine hours in the cloud, added up second by second. */
async function pass(of: World, ms: number): Promise<number> {
  let hours = 0;
  for (let left = ms; left > 0; left -= SECOND) {
    await of.pass(SECOND);
    for (const cloud of of.clouds.values()) hours += cloud.machines().length / 3600;
  }
  return hours;
}

test('what machines cost is counted, over restarts and while the service is down, and never twice', async () => {
  await using w = world({});
  for (let i = 0; i < 3; i++) w.submit({ exclusive: true }, 40 * MINUTE);
  let truth = await pass(w, 20 * MINUTE);
  await w.restart();
  truth += await pass(w, 5 * MINUTE);
  await w.restart();
  await w.clock.advance(10 * MINUTE);
  truth += (10 / 60) * 3;
  truth += await pass(w, 60 * MINUTE);
  const { usage } = status(w);
  assert.ok(truth > 2, `${truth} hours`);
  assert.ok(Math.abs((usage?.month.nodeHours ?? 0) - truth) < 0.03 * truth, `${usage?.month.nodeHours} of ${truth}`);
  assert.ok(Math.abs((usage?.month.money ?? 0) - 2 * (usage?.month.nodeHours ?? 0)) < 1e-9);
});

test('soft warning once, hard stop, work goes on, and the next day begins anew', async () => {
  await using w = world({ nodeHoursPerDay: 2 });
  const work = Array.from({ length: 2 }, () => w.submit({ exclusive: true }, 3 * HOUR));
  await w.until('they run', () => w.batch.running.length === 2);
  await w.until('most is used', () => told(w, /8\d % of the budget of 2 node hours per day is used/) === 1, 2 * HOUR);
  assert.equal(status(w).budget?.[0]?.state, 'warning');
  const late = w.submit({ exclusive: true }, MINUTE);
  await w.until('it is created: a warning stops nothing', () => w.cloud.counts.made === 3, MINUTE);
  await w.until(
    'the budget is used up',
    () => told(w, /the budget of 2 node hours per day is used up/) === 1,
    2 * HOUR,
  );
  await w.until('the late one has run', () => !w.batch.running.includes(late), HOUR);
  await w.restart();
  const made = w.cloud.counts.made;
  const more = w.submit({ nodes: 4, exclusive: true }, MINUTE);
  await w.pass(30 * MINUTE);
  assert.equal(w.cloud.counts.made, made, 'nothing new');
  assert.deepEqual(w.batch.running.filter((job) => work.includes(job)).length, 2, 'work is not touched');
  assert.match(w.controller.control.explain(more)?.text ?? '', /budget of 2 node hours per day is used up/);
  assert.match(status(w).summary, /budget of 2 node hours per day is used up/);
  assert.deepEqual(
    [told(w, /% of the budget/), told(w, /budget of 2 .* is used up .*work go on/)],
    [1, 1],
    'told once',
  );
  const next = dayOf(w.clock.now()).ends;
  // The day may be long: nothing runs in it any more, so it is passed in great steps.
  await w.until('work has ended', () => w.batch.running.length === 0, 8 * HOUR);
  while (w.clock.now() < next) {
    await w.clock.advance(Math.min(HOUR, next - w.clock.now()));
    await w.pass(0);
  }
  await w.until('it runs the next day', () => w.batch.running.includes(more), HOUR);
  assert.equal(told(w, /the budget has room again/), 1);
  assert.deepEqual(w.killed, []);
});

test('never more nodes than the budget has, with a full queue and MIN_NODES', async () => {
  await using w = world({ nodes: 2 }, { pool: { limits: { minNodes: 3, maxNodes: 4, maxStarting: 4 } } });
  for (let i = 0; i < 8; i++) w.submit({ exclusive: true }, MINUTE);
  await w.pass(20 * MINUTE);
  assert.equal(w.cloud.counts.most, 2);
  assert.equal(w.batch.running.length, 0);
  assert.deepEqual(
    status(w).budget?.map(({ what, used, limit }) => [what, used, limit]),
    [['nodes', 2, 2]],
  );
});

test('a cloud whose own budget is used up is passed over, and taken again the next day', async () => {
  const budget = { ...NONE, moneyPerDay: 1 };
  await using w = makeWorld({
    clouds: [
      { name: 'dear', hosts: 2, pricePerHour: 10, budget },
      { name: 'next', hosts: 2, pricePerHour: 1 },
    ],
  });
  const dear = w.clouds.get('dear');
  w.submit({ exclusive: true }, 10 * MINUTE);
  await w.until('its budget is used up', () => told(w, /budget of 1 money per day of dear is used up/) === 1, HOUR);
  w.submit({ nodes: 2, exclusive: true }, MINUTE);
  await w.until(
    'the next one helps',
    () => w.clouds.get('next')?.counts.made === 2 || w.batch.running.length > 1,
    HOUR,
  );
  assert.ok(told(w, /dear is passed over: the budget of 1 money per day is used up/) > 0);
  assert.equal(dear?.counts.made, 1);
  assert.equal(status(w).budget?.[0]?.cloud, 'dear');
});

test('a crash at any write counts nothing twice and loses nothing', async () => {
  let strikes = 0;
  await using w = world({}, { dies: (what) => what.includes('store.seen') && ++strikes % 7 === 0 });
  w.submit({ exclusive: true }, 30 * MINUTE);
  const truth = await pass(w, 60 * MINUTE);
  assert.ok(strikes > 30, `${strikes} strikes`);
  const counted = status(w).usage?.month.nodeHours ?? 0;
  assert.ok(Math.abs(counted - truth) < 0.05 * truth, `${counted} of ${truth}`);
});
