import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CloudError } from '../domain/errors.ts';
import { manualClock } from '../lib/clock.ts';
import { cloudContract } from './cloud.contract.ts';
import type { Lease } from './cloud.ts';
import { type FakeCloudOptions, fakeCloud } from './fake.ts';

cloudContract('the fake', async () => {
  const clock = manualClock();
  const cloud = fakeCloud({ clock, bootTime: 20_000, stopTime: 5_000 });
  return {
    cloud,
    hang: async (call) => cloud.fault(call, { do: 'hang' }, Number.POSITIVE_INFINITY),
    failList: async (kind) => {
      cloud.heal();
      cloud.fault('list', { do: 'error', kind }, Number.POSITIVE_INFINITY);
    },
    refuse: async (host, kind) => cloud.refuse(host, kind),
    occupy: async (ip) => cloud.occupy(ip),
    loseCreate: async () => cloud.fault('create', { do: 'lost' }),
    settle: () => clock.advance(30_000),
    async [Symbol.asyncDispose]() {},
  };
});

function world(options: Omit<FakeCloudOptions, 'clock'> = {}) {
  const clock = manualClock(1_800_000_000_000);
  const cloud = fakeCloud({ clock, bootTime: 20_000, stopTime: 5_000, ...options });
  const states = () => cloud.machines().map(({ host, state }) => `${host} ${state}`);
  return { clock, cloud, states };
}

function leases(n: number, from = 1): Lease[] {
  return Array.from({ length: n }, (_, i) => ({
    name: `c${from + i}`,
    ip: `10.0.${Math.floor((from + i) / 250)}.${((from + i) % 250) + 1}`,
    lease: `l${from + i}`,
  }));
}

async function kindOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => null,
    (thrown) => thrown,
  );
  return error instanceof CloudError ? error.kind : `no CloudError: ${error}`;
}

test('a machine starts, runs, stops and is gone as the clock says', async () => {
  const { clock, cloud, states } = world();
  await cloud.create(leases(1));
  assert.deepEqual(states(), ['c1 starting']);
  await clock.advance(19_999);
  assert.deepEqual(states(), ['c1 starting']);
  await clock.advance(1);
  assert.deepEqual(states(), ['c1 running']);
  await cloud.delete(cloud.machines());
  assert.deepEqual(states(), ['c1 stopping']);
  await clock.advance(5_000);
  assert.deepEqual(states(), []);
});

test('capacity and quota refuse only what is too much, and a stranger uses capacity but no quota', async () => {
  const { cloud } = world({ capacity: 4, quota: 3 });
  cloud.stranger('other', '10.9.9.9');
  const kinds = (await cloud.create(leases(4))).map(({ error }) => error?.kind ?? null);
  assert.deepEqual(kinds, [null, null, null, 'quota']);
  cloud.options.quota = 10;
  assert.equal((await cloud.create(leases(1, 4)))[0]?.error?.kind, 'capacity');
  cloud.options.capacity = 10;
  assert.equal((await cloud.create(leases(1, 4)))[0]?.error, null);
  assert.deepEqual([cloud.counts.made, cloud.counts.most], [4, 4]);
});

test('part of a batch is carried out, the rest is refused', async () => {
  const { cloud } = world();
  cloud.fault('create', { do: 'partial', first: 1, kind: 'throttled' });
  const outcomes = await cloud.create(leases(3));
  assert.deepEqual(
    outcomes.map(({ error }) => error?.kind ?? null),
    [null, 'throttled', 'throttled'],
  );
  assert.equal(cloud.machines().length, 1);
  await cloud.create(leases(3));
  cloud.fault('delete', { do: 'partial', first: 2, kind: 'temporary' });
  const deleted = await cloud.delete(cloud.machines());
  assert.deepEqual(
    deleted.map(({ error }) => error?.kind ?? null),
    [null, null, 'temporary'],
  );
});

test('each fault has its error and its effect', async () => {
  for (const [fault, kind, made] of [
    [{ do: 'error', kind: 'auth' }, 'auth', 0],
    [{ do: 'lost' }, 'ambiguous', 1],
    [{ do: 'garbled' }, 'ambiguous', 1],
  ] as const) {
    const { cloud } = world();
    cloud.fault('create', fault);
    assert.equal(await kindOf(cloud.create(leases(1))), kind, fault.do);
    assert.equal(cloud.machines().length, made, fault.do);
    assert.equal((await cloud.create(leases(1)))[0]?.error, null, 'the fault is used up');
    assert.equal(cloud.machines().length, 1);
  }
});

test('a call can hang after its work is done', async () => {
  const { cloud } = world();
  cloud.fault('create', { do: 'hang', after: true });
  const stop = new AbortController();
  const kind = kindOf(cloud.create(leases(1), stop.signal));
  assert.equal(cloud.machines().length, 1);
  stop.abort();
  assert.equal(await kind, 'ambiguous');
});

test('a slow call answers when its time has come, and is ambiguous when stopped before', async () => {
  const { clock, cloud } = world();
  cloud.fault('create', { do: 'slow', ms: 3_000 }, 2);
  const slow = cloud.create(leases(1));
  await clock.advance(2_999);
  assert.equal(cloud.machines().length, 0);
  await clock.advance(1);
  assert.equal((await slow)[0]?.error, null);
  const stop = new AbortController();
  const kind = kindOf(cloud.create(leases(1, 2), stop.signal));
  stop.abort();
  assert.equal(await kind, 'ambiguous');
});

test('a stale list shows the past, and a lagging list hides what is new', async () => {
  const { clock, cloud } = world();
  await cloud.create(leases(1));
  await clock.advance(60_000);
  await cloud.create(leases(1, 2));
  cloud.fault('list', { do: 'stale', ms: 50_000 });
  assert.deepEqual(
    (await cloud.list()).map(({ host, state }) => `${host} ${state}`),
    ['c1 starting'],
  );
  assert.equal((await cloud.list()).length, 2);
  cloud.options.listLag = 10_000;
  assert.equal((await cloud.list()).length, 1);
  await clock.advance(10_000);
  assert.equal((await cloud.list()).length, 2);
});

test('machines fail, linger, vanish, are doubled and stand in the way when told to', async () => {
  const { clock, cloud, states } = world();
  cloud.failNext('c1', 7_000, 'no boot disk');
  await cloud.create(leases(3));
  await clock.advance(7_000);
  assert.deepEqual(
    cloud.machines().map(({ state, message }) => `${state} ${message}`.trim()),
    ['failed no boot disk', 'starting', 'starting'],
  );
  cloud.linger('c2', Number.POSITIVE_INFINITY);
  cloud.linger('c1', 10_000);
  await cloud.delete(cloud.machines());
  await clock.advance(14_999);
  assert.deepEqual(states(), ['c1 stopping', 'c2 stopping']);
  await clock.advance(1_000_000);
  assert.deepEqual(states(), ['c2 stopping']);
  cloud.vanish('c2');
  assert.deepEqual(states(), []);

  await cloud.create(leases(1, 4));
  const second = cloud.double('c4');
  assert.deepEqual(
    (await cloud.list()).map(({ host, lease }) => `${host} ${lease}`),
    ['c4 l4', 'c4 l4'],
  );
  await cloud.delete((await cloud.list()).filter(({ id }) => id === second));
  await clock.advance(5_000);
  assert.deepEqual(states(), ['c4 starting']);

  const [wanted] = leases(1, 5);
  assert.ok(wanted);
  const stranger = cloud.stranger('web', wanted.ip);
  assert.equal((await cloud.create([wanted]))[0]?.error?.kind, 'ip-in-use');
  assert.equal((await cloud.list()).find(({ id }) => id === stranger)?.lease, null);
});

test('a deleted machine that still lingers keeps its address', async () => {
  const { cloud } = world();
  const [lease] = leases(1);
  assert.ok(lease);
  await cloud.create([lease]);
  await cloud.delete(cloud.machines());
  assert.equal((await cloud.create([{ ...lease, lease: 'next' }]))[0]?.error?.kind, 'ip-in-use');
});

test('calls are counted, and looking at the truth is none', async () => {
  const { cloud } = world();
  await cloud.create(leases(2));
  await cloud.list();
  await cloud.delete(cloud.machines());
  await cloud.delete(cloud.machines());
  assert.deepEqual(cloud.counts, { list: 1, create: 1, delete: 2, made: 2, deleted: 2, most: 2 });
});

test('boot times may differ by host and by turn', async () => {
  const { clock, cloud, states } = world({ bootTime: (host, nth) => (host === 'c2' ? 90_000 : 10_000 + nth) });
  await cloud.create(leases(3));
  await clock.advance(10_002);
  assert.deepEqual(states(), ['c1 running', 'c2 starting', 'c3 running']);
});

test('five thousand machines live and die a hundred times without trouble', async () => {
  const { clock, cloud } = world();
  for (let life = 0; life < 100; life++) {
    await cloud.create(leases(5_000).map((lease) => ({ ...lease, lease: `${lease.lease}-${life}` })));
    await clock.advance(20_000);
    assert.equal((await cloud.list()).filter(({ state }) => state === 'running').length, 5_000);
    await cloud.delete(cloud.machines());
    await clock.advance(4_000_000);
  }
  assert.equal(cloud.counts.made, 500_000);
  assert.deepEqual(cloud.machines(), []);
});
