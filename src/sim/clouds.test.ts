/**
 * Several clouds behind one queue, with fakes that fail on command: failover and failback, a silent cloud, restarts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeWorld, type World } from './world.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** A small cheap cloud and a large dear one: c1 and c2, and c3 to c6. */
function twoClouds(more: Parameters<typeof makeWorld>[0] = {}): World {
  return makeWorld({
    clouds: [
      { name: 'campus', hosts: 2 },
      { name: 'aws', hosts: 4 },
    ],
    ...more,
  });
}

const fake = (world: World, name: string) => {
  const cloud = world.clouds.get(name);
  assert.ok(cloud);
  return cloud;
};
const made = (world: World) => [fake(world, 'campus').counts.made, fake(world, 'aws').counts.made];
const events = (world: World) =>
  world.store
    .events(1000)
    .map((event) => event.text)
    .join('\n');
const submit = (world: World, jobs: number, runs = 30 * SECOND) =>
  Array.from({ length: jobs }, () => world.submit({ exclusive: true }, runs));

function sound(world: World): void {
  assert.deepEqual(world.killed, [], 'a job lost its machine');
  for (const cloud of world.clouds.values()) {
    const hosts = cloud.machines().map((one) => one.host);
    assert.equal(new Set(hosts).size, hosts.length, 'a host has two machines');
  }
}

test('the preferred cloud first, the next one when it is full; each makes only its own hosts', async () => {
  await using world = twoClouds();
  submit(world, 1);
  await world.until('it runs', () => world.batch.running.length === 1);
  assert.deepEqual(made(world), [1, 0]);
  submit(world, 4, 5 * MINUTE);
  await world.until('all run', () => world.batch.running.length >= 4, 5 * MINUTE);
  assert.deepEqual(made(world), [2, 3]);
  assert.deepEqual(
    fake(world, 'aws')
      .machines()
      .map((one) => one.host),
    ['c3', 'c4', 'c5'],
  );
  await world.until('all are gone', () => world.states().every((state) => state === 'free'), 60 * MINUTE);
  sound(world);
});

test('no capacity in the preferred cloud: the next plan takes the other, says why, and comes back after the pause', async () => {
  await using world = twoClouds();
  fake(world, 'campus').options.capacity = 0;
  submit(world, 2, 3 * MINUTE);
  const took = await world.until('both run', () => world.batch.running.length === 2);
  assert.ok(took < 60 * SECOND + 20 * SECOND, `${took} ms: no boot time was lost`);
  assert.deepEqual(made(world), [0, 2]);
  assert.match(events(world), /creation of nodes in campus is paused for 60 s \(capacity\)/);
  assert.match(events(world), /c3: free -> starting: wanted by job \d; campus is passed over: creation is paused for/);
  assert.equal(world.controller.control.status().clouds?.[0]?.brake?.kind, 'capacity');
  assert.equal(world.controller.control.status().brake, null);

  fake(world, 'campus').options.capacity = 9;
  await world.pass(2 * MINUTE);
  submit(world, 6, 5 * MINUTE);
  await world.until('six run', () => world.batch.running.length === 6, 20 * MINUTE);
  assert.deepEqual(made(world), [2, 4], 'tried with one machine, then used in full');
  assert.equal(world.controller.control.status().clouds?.[0]?.brake, null);
  sound(world);
});

test('a preferred cloud that is back is tried by jobs of several nodes, too', async () => {
  await using world = twoClouds({
    clouds: [
      { name: 'campus', hosts: 3 },
      { name: 'aws', hosts: 1 },
    ],
  });
  fake(world, 'campus').fault('create', { do: 'error', kind: 'capacity' }, 1);
  world.submit({ nodes: 3, exclusive: true }, MINUTE);
  await world.until('it runs on campus', () => world.batch.running.length === 1, 20 * MINUTE);
  assert.equal(fake(world, 'campus').counts.made, 3);
  sound(world);
});

test('both without capacity: jobs hear of both', async () => {
  await using world = twoClouds();
  for (const cloud of world.clouds.values()) cloud.options.capacity = 0;
  const [job = ''] = submit(world, 1);
  const said = () => world.controller.control.explain(job)?.text ?? '';
  const both = /campus: creation is paused .* aws: creation is paused/;
  await world.until('it hears of both', () => both.test(said()), MINUTE).catch(() => assert.match(said(), both));
  for (const cloud of world.clouds.values()) cloud.options.capacity = 9;
  await world.until('it runs', () => world.batch.running.length === 1, 10 * MINUTE);
  sound(world);
});

test('images that never come up in one cloud do not stop the other', async () => {
  await using world = twoClouds({ pool: { timing: { ...TIMING, boot: 2 * MINUTE } } });
  for (const host of ['c1', 'c2']) for (let i = 0; i < 9; i++) fake(world, 'campus').failNext(host, 5 * SECOND);
  submit(world, 6, MINUTE);
  await finished(world);
  assert.ok(fake(world, 'aws').counts.made > 0);
  sound(world);
});

const TIMING = {
  cleanup: 600 * SECOND,
  idle: 600 * SECOND,
  boot: 1000 * SECOND,
  prepare: 180 * SECOND,
  join: 300 * SECOND,
  stop: 600 * SECOND,
};
/** Until every job has ended; the service must have seen them first. */
async function finished(world: World, most = 60 * MINUTE): Promise<void> {
  await world.pass(6 * SECOND);
  const over = () => world.batch.running.length === 0 && world.controller.control.status().waiting === 0;
  await world.until('all jobs have ended', over, most);
}

test('a silent cloud: nothing happens among its hosts, they count as they were, and the other goes on', async () => {
  await using world = twoClouds();
  submit(world, 2, 20 * SECOND);
  await finished(world);
  assert.deepEqual(made(world), [2, 0]);
  fake(world, 'campus').fault('list', { do: 'error', kind: 'temporary' }, Number.POSITIVE_INFINITY);
  await world.pass(30 * SECOND);
  submit(world, 3, 3 * MINUTE);
  await world.until('three run', () => world.batch.running.length === 3, 5 * MINUTE);
  assert.deepEqual(made(world), [2, 1], 'jobs use its ready nodes, and only the third needs a new one');
  const calls = { ...fake(world, 'campus').counts };
  await world.pass(60 * MINUTE);
  assert.deepEqual(fake(world, 'aws').machines(), [], 'idle nodes of the other are gone');
  assert.deepEqual(world.states().slice(0, 2), ['ready', 'ready'], 'its nodes stand as they were');
  assert.deepEqual(
    [fake(world, 'campus').counts.create, fake(world, 'campus').counts.delete],
    [calls.create, calls.delete],
  );
  assert.match(
    events(world),
    /the cloud campus: .*Nothing is created, drained or deleted among its hosts until it answers/,
  );
  const plan = await world.controller.control.plan();
  assert.ok(
    plan.steps.some((one) => /nothing is changed among the hosts of campus: campus does not answer/.test(one.because)),
  );
  assert.deepEqual(
    world.controller.control.status().clouds?.map((one) => one.reading.ok),
    [false, true],
  );
  fake(world, 'campus').heal();
  await world.until('its idle nodes go now', () => world.states().every((state) => state === 'free'), 10 * MINUTE);
  sound(world);
});

test('a silent cloud and a restart: hosts with machines are kept by our own record', async () => {
  await using world = twoClouds();
  submit(world, 2, 30 * MINUTE);
  await world.until('they run', () => world.batch.running.length === 2);
  fake(world, 'campus').fault('list', { do: 'error', kind: 'auth' }, Number.POSITIVE_INFINITY);
  await world.restart();
  submit(world, 1, MINUTE);
  await world.pass(20 * MINUTE);
  assert.deepEqual(made(world), [2, 1]);
  assert.deepEqual(world.states().slice(0, 2), ['ready', 'ready']);
  assert.equal(world.batch.running.length, 2);
  sound(world);
});

test('a cloud that falls silent while its machine starts: after the boot time the other one helps', async () => {
  await using world = twoClouds({ pool: { timing: { ...TIMING, boot: 3 * MINUTE } } });
  submit(world, 1, MINUTE);
  await world.until('it was asked for', () => fake(world, 'campus').counts.made === 1);
  fake(world, 'campus').fault('list', { do: 'error', kind: 'temporary' }, Number.POSITIVE_INFINITY);
  await world.pass(2 * MINUTE);
  assert.deepEqual(made(world), [1, 0], 'it may still come');
  await world.until('the job runs in the other', () => world.batch.running.length === 1, 10 * MINUTE);
  assert.deepEqual(made(world), [1, 1]);
  fake(world, 'campus').heal();
  await world.until('all are gone', () => world.states().every((state) => state === 'free'), 60 * MINUTE);
  assert.deepEqual(made(world), [1, 1], 'the same lease made no second machine');
  sound(world);
});

test('a list that suddenly forgets its machines freezes that cloud alone', async () => {
  await using world = twoClouds();
  submit(world, 6, 20 * MINUTE);
  await world.until('six run', () => world.batch.running.length === 6);
  const list = fake(world, 'aws').list;
  fake(world, 'aws').list = async () => [];
  await world.pass(3 * MINUTE);
  const plan = await world.controller.control.plan();
  assert.ok(
    plan.steps.some((one) =>
      /among the hosts of aws: the cloud suddenly lists 4 of 4 machines no more/.test(one.because),
    ),
  );
  assert.equal(fake(world, 'aws').counts.delete, 0);
  fake(world, 'aws').list = list;
  await finished(world);
  sound(world);
});

test('a machine of one cloud on the address of another is a stranger: no second one beside it', async () => {
  await using world = twoClouds();
  fake(world, 'aws').stranger('c1', '10.0.0.1');
  submit(world, 1);
  await world.until('it runs', () => world.batch.running.length === 1);
  assert.equal(world.batch.hostsOf(world.batch.running[0] ?? '').join(), 'c2');
  assert.equal(world.store.host('c1')?.state, 'quarantined');
  sound(world);
});

test('the most machines of a cloud are a limit of its own, also for MIN_NODES', async () => {
  await using world = twoClouds({
    clouds: [
      { name: 'campus', hosts: 4, maxNodes: 1 },
      { name: 'aws', hosts: 4, maxNodes: 2 },
    ],
    pool: { limits: { minNodes: 2, maxNodes: 8, maxStarting: 8 } },
  });
  await world.until('two are kept', () => world.states().filter((state) => state === 'ready').length === 2);
  assert.deepEqual(made(world), [1, 1]);
  submit(world, 8, MINUTE);
  await finished(world);
  assert.deepEqual(
    [...world.clouds.values()].map((cloud) => cloud.counts.most),
    [1, 2],
  );
  sound(world);
});

test('a preferred cloud that only throttles is waited for: it is no lack of capacity', async () => {
  await using world = twoClouds();
  fake(world, 'campus').fault('create', { do: 'error', kind: 'throttled' }, 2);
  submit(world, 2, MINUTE);
  await world.until('both run', () => world.batch.running.length === 2, 3 * MINUTE);
  assert.deepEqual(made(world), [2, 0]);
  sound(world);
});

test('classic adds one node at a time, from the first cloud that can', async () => {
  await using world = twoClouds({ pool: { policy: 'classic' } });
  fake(world, 'campus').options.capacity = 0;
  submit(world, 1, MINUTE);
  await world.until('it runs', () => world.batch.running.length === 1);
  assert.deepEqual(made(world), [0, 1]);
  sound(world);
});

test('a host moved to another cloud keeps its machine where it was made', async () => {
  await using world = twoClouds();
  submit(world, 2, 30 * MINUTE);
  await world.until('they run', () => world.batch.running.length === 2);
  const moved = world.pool.hosts.map((host) => (host.name === 'c1' ? { ...host, cloud: 'aws' } : host));
  Object.assign(world.pool, { hosts: moved });
  await world.restart();
  await world.pass(5 * MINUTE);
  assert.equal(world.store.host('c1')?.cloud, 'campus');
  assert.equal(world.store.host('c1')?.state, 'ready');
  await world.until('all are gone', () => world.states().every((state) => state === 'free'), 90 * MINUTE);
  assert.deepEqual(fake(world, 'campus').machines(), []);
  await world.restart();
  assert.equal(world.store.host('c1')?.cloud, 'aws');
  sound(world);
});
