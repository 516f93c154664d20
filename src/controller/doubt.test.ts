import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeWorld, type World } from '../sim/world.ts';
import { UNCLAIMED_AFTER } from './doubt.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const told = (world: World) =>
  world.store
    .events(5000)
    .filter(({ text }) => text.includes('starts nothing there'))
    .map(({ text }) => text);

test('a job that is never started on an idle node gets another one, and the first goes', async () => {
  await using world = makeWorld({ hosts: 3 });
  const job = world.submit({ exclusive: true, avoids: ['c1'] }, 60 * MINUTE);
  await world.until('c1 is there', () => world.states()[0] === 'ready', 5 * MINUTE);
  await world.until('it runs elsewhere', () => world.batch.running.length === 1, UNCLAIMED_AFTER + 5 * MINUTE);
  assert.deepEqual(world.batch.hostsOf(job), ['c2']);
  assert.equal(told(world).length, 1);
  assert.match(told(world)[0] ?? '', /^c1 has been idle for 5 min with room for job 1, but the batch system starts/);
  await world.until('c1 is gone', () => world.states()[0] === 'free', 15 * MINUTE);
  assert.equal(world.cloud.counts.made, 2);
});

test('another job still gets the node that the first one refuses', async () => {
  await using world = makeWorld({ hosts: 1 });
  world.submit({ exclusive: true, avoids: ['c1'] }, MINUTE);
  await world.until('it is told', () => told(world).length === 1, UNCLAIMED_AFTER + 5 * MINUTE);
  const second = world.submit({ exclusive: true }, MINUTE);
  await world.until('the second runs', () => world.batch.hostsOf(second).length === 1, 5 * MINUTE);
  assert.equal(world.cloud.counts.made, 1);
});

test('a job that no node helps costs little: each host is tried, then again after half an hour, an hour, two...', async () => {
  await using world = makeWorld({ hosts: 2, quick: true });
  const waits = { reason: 'Reserved', helped: 'yes', because: '' } as const;
  world.submit({ exclusive: true, avoids: ['c1', 'c2'], waits }, MINUTE);
  let paid = 0;
  for (let minute = 0; minute < 12 * 60; minute++) {
    await world.pass(MINUTE);
    paid += world.states().filter((state) => state !== 'free').length;
  }
  assert.match(told(world)[0] ?? '', /starts nothing there and says: Reserved\. It is no longer kept/);
  // One host would be paid for all 720 minutes if nobody doubted.
  assert.ok(paid < 240, `${paid} node minutes in half a day`);
  assert.ok(told(world).length >= 6 && told(world).length <= 14, `told ${told(world).length} times`);
});

test('a busy scheduler is no refusal: the node was used in between', async () => {
  await using world = makeWorld({ hosts: 1, pool: { limits: { minNodes: 0, maxNodes: 1, maxStarting: 1 } } });
  world.submit({ exclusive: true }, 4 * MINUTE);
  for (let i = 0; i < 6; i++) world.submit({ exclusive: true }, 4 * MINUTE);
  await world.until('all have run', () => world.batch.waiting + world.batch.running.length === 0, 60 * MINUTE);
  assert.deepEqual(told(world), []);
  assert.equal(world.cloud.counts.made, 1);
});

for (const avoided of ['c1', 'c2', 'c3']) {
  test(`a job of two hosts of three finds the two it can use: all but ${avoided}`, async () => {
    await using world = makeWorld({ hosts: 3, quick: true });
    const job = world.submit({ nodes: 2, exclusive: true, avoids: [avoided] }, 10 * MINUTE);
    await world.until('it runs', () => world.batch.running.length === 1, 90 * MINUTE);
    assert.ok(!world.batch.hostsOf(job).includes(avoided));
  });
}

test('nothing is concluded from time in which nobody could look', async () => {
  await using world = makeWorld({ hosts: 1 });
  world.submit({ exclusive: true, avoids: ['c1'] }, MINUTE);
  await world.until('c1 is there', () => world.states()[0] === 'ready', 5 * MINUTE);
  world.batch.fail('silent');
  await world.pass(2 * UNCLAIMED_AFTER);
  world.batch.fail(null);
  await world.pass(UNCLAIMED_AFTER - 30 * SECOND);
  assert.deepEqual(told(world), []);
  await world.until('it is told', () => told(world).length === 1, 2 * MINUTE);
});
