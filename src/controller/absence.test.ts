import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeFakeBatch } from '../batch/fake.ts';
import type { HostRecord } from '../domain/host.ts';
import { manualClock } from '../lib/clock.ts';
import { makeWorld } from '../sim/world.ts';
import { BELIEVED_AFTER, makeAbsence } from './absence.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

test('a host with a machine that is not named counts as one that cannot be read, for a minute', async () => {
  const clock = manualClock();
  const batch = makeFakeBatch({ clock, queue: 'cloud', hosts: [] });
  const { nodes } = await batch.getStatus('cloud', ['c1', 'c2']);
  const hosts = [
    { name: 'c1', state: 'ready' },
    { name: 'c2', state: 'free' },
  ] as HostRecord[];
  const absence = makeAbsence(clock);
  const seen = () => absence.doubt(nodes, hosts).map(({ state, hasJob }) => [state, hasJob]);
  assert.deepEqual(seen(), [
    ['unknown', true],
    ['absent', false],
  ]);
  await clock.advance(BELIEVED_AFTER - 1);
  assert.deepEqual(seen()[0], ['unknown', true]);
  await clock.advance(1);
  assert.deepEqual(seen()[0], ['absent', false]);
});

test('an answer without nodes, while the list lacks a machine and an operator drains: the job runs to its end', async () => {
  await using world = makeWorld({ hosts: 1 });
  world.submit({ exclusive: true }, 20 * MINUTE);
  await world.until('it runs', () => world.batch.running.length === 1, 10 * MINUTE);
  world.operator((control) => control.drain('c1', 'taro'));
  world.cloud.fault('list', { do: 'lie', tell: () => [] }, 3);
  const { getStatus } = world.batch;
  let lies = 3;
  world.batch.getStatus = async (queue, hosts, signal) =>
    getStatus(queue, lies-- > 0 ? hosts.map((host) => `not-${host}`) : hosts, signal).then((status) => ({
      ...status,
      jobs: lies >= 0 ? [] : status.jobs,
      nodes: status.nodes.map((node) => ({ ...node, host: node.host.replace('not-', '') })),
    }));
  await world.until('it has ended', () => world.batch.running.length === 0, 30 * MINUTE);
  assert.deepEqual(world.killed, []);
});

test('a full disk while calls end does not end the service, and what was asked for is taken up afterwards', async () => {
  let full = false;
  await using world = makeWorld({ hosts: 2, fails: () => (full ? 'database or disk is full' : null) });
  world.submit({ exclusive: true }, 5 * MINUTE);
  await world.until('it starts', () => world.states()[0] === 'starting', MINUTE);
  full = true;
  await world.pass(3 * MINUTE);
  assert.ok(world.failedLooks > 0);
  full = false;
  await world.until('it runs', () => world.batch.running.length === 1, 5 * MINUTE);
  assert.equal(world.cloud.counts.made, 1);
});
