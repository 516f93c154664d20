import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostRecord } from '../domain/host.ts';
import type { Machine } from '../domain/machine.ts';
import { systemClock } from '../lib/clock.ts';
import { makeErrands } from './errands.ts';
import { nextLook } from './interval.ts';
import { tellApart } from './observe.ts';

const pace = {
  base: 5000,
  states: ['ready', 'free'],
  completeReads: 9,
  acted: false,
  batchTook: 20,
  cloudTook: 100,
} as const;

test('a quiet pool is looked at every POLL_INTERVAL', () => assert.equal(nextLook(pace), 5000));

test('hosts on the move are looked at every second', () => {
  for (const state of ['starting', 'draining', 'stopping', 'cooling'] as const) {
    assert.equal(nextLook({ ...pace, states: ['ready', state] }), 1000, state);
  }
  for (const state of ['preparing', 'joining'] as const) {
    assert.equal(nextLook({ ...pace, states: ['starting', state] }), 500, state);
  }
  assert.equal(nextLook({ ...pace, base: 500, states: ['starting'] }), 500);
});

test('what was just done is looked at soon', () => assert.equal(nextLook({ ...pace, acted: true }), 1000));

test('the second complete reading follows at once', () =>
  assert.equal(nextLook({ ...pace, completeReads: 1, cloudTook: 20 }), 200));

test('a batch system that answers slowly is asked less often', () => {
  assert.equal(nextLook({ ...pace, batchTook: 2000 }), 20_000);
  assert.equal(nextLook({ ...pace, batchTook: 2000, states: ['starting'] }), 20_000);
  assert.equal(nextLook({ ...pace, batchTook: 30_000 }), 60_000);
  assert.equal(nextLook({ ...pace, cloudTook: 4000 }), 12_000);
});

function host(name: string, ip: string, machineId: string | null = null, lease: string | null = null): HostRecord {
  return { name, ip, machineId, lease } as HostRecord;
}

function machine(id: string, name: string, ip: string, lease: string | null = null): Machine {
  return { id, host: name, ip, state: 'running', lease, since: null, message: '' };
}

test('a machine is ours when name and address belong to one host', () => {
  const hosts = [host('c1', '10.0.0.1'), host('c10', '10.0.0.10')];
  const { machines, strangers } = tellApart(hosts, [
    machine('a', 'c1', '10.0.0.1'),
    machine('b', 'c10', '10.0.0.1'),
    machine('c', 'other', '10.0.0.10'),
    machine('d', 'elsewhere', '10.9.9.9'),
  ]);
  assert.deepEqual(
    [...machines.values()].map((one) => one.id),
    ['a'],
  );
  assert.deepEqual(
    strangers.map((one) => one.id),
    ['b', 'c'],
  );
});

test('of two machines for one host ours is the one we know', () => {
  for (const listed of [
    ['x', 'm1'],
    ['m1', 'x'],
  ] as const) {
    const { machines, strangers } = tellApart(
      [host('c1', '10.0.0.1', 'm1')],
      listed.map((id) => machine(id, 'c1', '10.0.0.1')),
    );
    assert.equal(machines.get('c1')?.id, 'm1');
    assert.deepEqual(
      strangers.map((one) => one.id),
      ['x'],
    );
  }
  const byLease = tellApart(
    [host('c1', '10.0.0.1', null, 'L')],
    [machine('x', 'c1', '10.0.0.1'), machine('y', 'c1', '10.0.0.1', 'L')],
  );
  assert.equal(byLease.machines.get('c1')?.id, 'y');
});

test('errands run at most so many at a time, wake the loop, and end when the service stops', async () => {
  const ended: string[] = [];
  const errors: unknown[] = [];
  const errands = makeErrands(2, systemClock, {
    onEnd: () => ended.push('end'),
    onError: (error) => errors.push(error),
  });
  let running = 0;
  let most = 0;
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  for (const [i, gate] of gates.entries()) {
    errands.start([`c${i}`], 60_000, async () => {
      most = Math.max(most, ++running);
      await gate.promise;
      running--;
      if (i === 1) throw new Error('a defect');
    });
  }
  assert.deepEqual([...errands.hosts], ['c0', 'c1', 'c2', 'c3']);
  for (const gate of gates) gate.resolve();
  await errands[Symbol.asyncDispose]();
  assert.equal(most, 2);
  assert.equal(ended.length, 4);
  assert.equal(String(errors[0]), 'Error: a defect');
  assert.equal(errands.hosts.size, 0);
});

test('a cancelled errand sees its signal', async () => {
  const errands = makeErrands(8, systemClock, { onEnd() {}, onError() {} });
  let seen = '';
  errands.start(['c1'], 60_000, async (signal) => {
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => aborted.resolve());
    await aborted.promise;
    seen = String(signal.reason);
  });
  errands.cancel('c1');
  await errands[Symbol.asyncDispose]();
  assert.match(seen, /cancelled/);
});
