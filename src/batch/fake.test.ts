import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatchError } from '../domain/errors.ts';
import { manualClock } from '../lib/clock.ts';
import { type BatchWorld, batchContract } from './batch.contract.ts';
import { type FakeBatch, makeFakeBatch } from './fake.ts';

batchContract('fake', async () => world());

const three = ['c1', 'c2', 'c3'].map((name) => ({ name, cpus: 4, memoryMiB: 1000 }));
const fake = (): FakeBatch => makeFakeBatch({ clock: manualClock(), hosts: three, queue: 'cloud' });

function world(): BatchWorld {
  const batch = fake();
  const hosts = three.map(({ name }) => name);
  return {
    batch,
    queue: 'cloud',
    hosts,
    stranger: 'c9',
    submit: async (job) => batch.submit({ memoryMiB: 100, ...job }),
    finish: async (id) => batch.finish(id),
    startNode: async (host) => batch.nodeUp(host),
    stopNode: async (host) => batch.nodeDown(host),
    personDrain: async (host, reason) => batch.personDrain(host, reason),
    stopServer: async () => batch.fail('silent'),
    startServer: async () => batch.fail(null),
    waitFor: async (what, so) => {
      batch.schedule();
      const status = await batch.getStatus('cloud', hosts);
      assert.ok(so(status), `${what}: ${JSON.stringify(status)}`);
      return status;
    },
    dispose: async () => {},
  };
}

test('jobs start in order of priority, as far as there is room', async () => {
  const batch = fake();
  for (const host of ['c1', 'c2']) batch.nodeUp(host);
  const low = batch.submit({ cpus: 4, priority: 1 });
  const high = batch.submit({ nodes: 2, exclusive: true, priority: 9 });
  assert.deepEqual(batch.schedule(), [high]);
  assert.deepEqual(batch.hostsOf(high), ['c1', 'c2']);
  batch.finish(high);
  assert.deepEqual(batch.schedule(), [low]);
  assert.deepEqual(batch.running, [low]);
});

test('jobs share a host until its CPUs or its memory are used up', () => {
  const batch = fake();
  batch.nodeUp('c1');
  const ids = [1, 2, 3].map(() => batch.submit({ cpus: 1, memoryMiB: 400 }));
  assert.deepEqual(batch.schedule(), ids.slice(0, 2), 'two fit into 1000 MiB');
});

test('a job on a node that is lost waits again', async () => {
  const batch = fake();
  batch.nodeUp('c1');
  const id = batch.submit();
  batch.schedule();
  batch.nodeDown('c1');
  const { jobs, nodes } = await batch.getStatus('cloud', ['c1']);
  assert.deepEqual([jobs[0]?.id, jobs[0]?.state, nodes[0]?.state], [id, 'waiting', 'down']);
});

test('a record that cannot be read makes its node unknown and busy, and the rest is used', async () => {
  const batch = fake();
  batch.nodeUp('c1');
  batch.addUnreadable('a strange record', 'c1');
  const status = await batch.getStatus('cloud', ['c1', 'c2']);
  assert.deepEqual(status.unreadable, ['a strange record']);
  assert.deepEqual(
    status.nodes.map((node) => [node.state, node.hasJob]),
    [
      ['unknown', true],
      ['down', false],
    ],
  );
});

test('a host outside the queue gets no job', () => {
  const batch = makeFakeBatch({
    clock: manualClock(),
    queue: 'cloud',
    hosts: [{ name: 'c1', cpus: 4, memoryMiB: 1000, inQueue: false }],
  });
  batch.nodeUp('c1');
  batch.submit();
  assert.deepEqual(batch.schedule(), []);
});

test('a call that hangs ends with its signal, or when the batch system answers again', async () => {
  const batch = fake();
  batch.hang(true);
  const stop = new AbortController();
  const stopped = batch.getStatus('cloud', [], stop.signal);
  const waiting = batch.getStatus('cloud', []);
  stop.abort();
  await assert.rejects(stopped, (error) => error instanceof BatchError && error.kind === 'silent');
  batch.hang(false);
  assert.deepEqual((await waiting).jobs, []);
  assert.equal(batch.calls.getStatus, 2);
});

test('every kind of failure can be played', async () => {
  const batch = fake();
  for (const kind of ['missing', 'version', 'permission', 'silent', 'garbled', 'refused'] as const) {
    batch.fail(kind);
    await assert.rejects(batch.joinCluster(['c1']), (error) => error instanceof BatchError && error.kind === kind);
  }
});
