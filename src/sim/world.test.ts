/**
 * The whole controller against fakes that fail on command: each test one story. Time is the world's own.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CloudErrorKind } from '../domain/errors.ts';
import { makeWorld, type World } from './world.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

function events(world: World): string {
  return world.store
    .events(1000)
    .map((event) => event.text)
    .join('\n');
}

/** What must hold at the end of every story. */
function sound(world: World): void {
  assert.deepEqual(world.killed, [], 'a job lost its machine');
  assert.ok(world.cloud.counts.most <= world.pool.hosts.length, `${world.cloud.counts.most} machines at one time`);
}

test('eight jobs on four hosts: four machines, all at once, and they go when the queue is empty', async () => {
  await using world = makeWorld();
  for (let i = 0; i < 8; i++) world.submit({ exclusive: true }, 30 * SECOND);
  const started = await world.until('four jobs run', () => world.batch.running.length === 4);
  assert.ok(started <= 60 * SECOND + 12 * SECOND, `${started} ms`);
  await world.until('no job is left', () => world.batch.running.length === 0);
  assert.equal(world.cloud.counts.made, 4);
  await world.pass(9 * MINUTE);
  assert.equal(world.cloud.machines().length, 4, 'not before CLEANUP_NODE_WAIT_TIME');
  await world.until('all hosts are free again', () => world.states().every((state) => state === 'free'), 10 * MINUTE);
  assert.equal(world.cloud.counts.made, 4);
  sound(world);
});

test('jobs that name their hosts get these, and nothing else is made', async () => {
  await using world = makeWorld();
  const one = world.submit({ exclusive: true, hosts: ['c3'] }, MINUTE);
  const two = world.submit({ exclusive: true, hosts: ['c2', 'c4'], nodes: 2 }, MINUTE);
  await world.until('both run', () => world.batch.running.length === 2);
  assert.deepEqual([world.batch.hostsOf(one), world.batch.hostsOf(two)], [['c3'], ['c2', 'c4']]);
  const same = world.submit({ exclusive: true, hosts: ['c3'] }, MINUTE);
  await world.until('the next for the same host runs', () => world.batch.hostsOf(same).length === 1);
  assert.equal(world.cloud.counts.made, 3);
  sound(world);
});

test('a job that comes while a node drains gets it back', async () => {
  await using world = makeWorld({ hosts: 1 });
  world.submit({}, 10 * SECOND);
  await world.until('it drains', () => world.states()[0] === 'draining', 30 * MINUTE);
  world.submit({}, 10 * SECOND);
  await world.until('it runs', () => world.batch.running.length === 1, MINUTE);
  assert.equal(world.cloud.counts.made, 1, 'no second machine was needed');
  sound(world);
});

test('a job that slips onto a node between the decision and the drain runs to its end', async () => {
  await using world = makeWorld({ hosts: 1 });
  world.submit({}, 10 * SECOND);
  await world.until('it is idle', () => world.store.host('c1')?.idleSince != null, 30 * MINUTE);
  const leave = world.batch.leaveCluster.bind(world.batch);
  let slipped = '';
  world.batch.leaveCluster = async (hosts, reason, signal) => {
    if (slipped === '' && /idle|empty/.test(reason)) {
      slipped = world.submit({}, 5 * MINUTE);
      world.batch.schedule();
      assert.deepEqual(world.batch.hostsOf(slipped), ['c1']);
    }
    return leave(hosts, reason, signal);
  };
  await world.until('a job slipped in', () => slipped !== '', 30 * MINUTE);
  await world.pass(2 * MINUTE);
  assert.deepEqual(world.batch.running, [slipped], 'it still runs');
  assert.match(events(world), /draining -> ready: a job slipped in/);
  sound(world);
});

for (const kind of ['quota', 'auth', 'config'] as const satisfies readonly CloudErrorKind[]) {
  test(`${kind} stops creation until something changes`, async () => {
    await using world = makeWorld();
    world.cloud.fault('create', { do: 'error', kind }, 1000);
    world.submit({ exclusive: true }, SECOND);
    await world.pass(20 * MINUTE);
    assert.equal(world.cloud.counts.create, 1, 'asked once, then no more');
    assert.equal(world.controller.control.status().brake?.kind, kind);
    world.cloud.heal();
    world.controller.control.release(null, 'test');
    await world.until('it goes on', () => world.cloud.counts.made === 1, MINUTE);
    sound(world);
  });
}

test('lack of capacity: tried again after a growing pause, with one machine first', async () => {
  await using world = makeWorld();
  world.cloud.fault('create', { do: 'error', kind: 'capacity' }, 3);
  for (let i = 0; i < 4; i++) world.submit({ exclusive: true }, 10 * MINUTE);
  await world.until('all four run in the end', () => world.batch.running.length === 4, 30 * MINUTE);
  const asked = events(world).match(/creation of nodes is paused for [^(]*/g);
  assert.deepEqual(
    asked,
    ['60 s', '120 s', '4 min'].map((pause) => `creation of nodes is paused for ${pause} `.replace('120 s', '2 min')),
  );
  sound(world);
});

test('throttling is a short pause and no lack of capacity', async () => {
  await using world = makeWorld();
  world.cloud.fault('create', { do: 'error', kind: 'throttled' }, 2);
  for (let i = 0; i < 4; i++) world.submit({ exclusive: true }, 10 * MINUTE);
  const took = await world.until('all four run', () => world.batch.running.length === 4, 10 * MINUTE);
  assert.ok(took < 2 * MINUTE, `${took} ms`);
  assert.doesNotMatch(events(world), /\(capacity\)/);
});

for (const what of ['lost', 'garbled'] as const) {
  test(`an answer that is ${what} after the machine was made does not make a second one`, async () => {
    await using world = makeWorld();
    world.cloud.fault('create', { do: what });
    world.submit({ exclusive: true }, MINUTE);
    await world.until('it runs', () => world.batch.running.length === 1, 10 * MINUTE);
    assert.equal(world.cloud.counts.made, 1);
    sound(world);
  });
}

test('a machine seen once whose create was never answered is deleted by its id, also when the list lacks it then', async () => {
  await using world = makeWorld({ hosts: 1, bootTime: 60 * MINUTE });
  world.cloud.fault('create', { do: 'garbled' }, 1);
  const job = world.submit({}, MINUTE);
  await world.until('it is seen', () => world.store.host('c1')?.machineId != null, 5 * MINUTE);
  const [machine] = world.cloud.machines();
  assert.equal(world.store.host('c1')?.machineId, machine?.id);
  const list = world.cloud.list.bind(world.cloud);
  world.cloud.list = async () => [];
  await world.until('its boot deadline is over', () => world.store.host('c1')?.state !== 'starting', 60 * MINUTE);
  await world.until('it is gone', () => world.cloud.machines().length === 0, 10 * MINUTE);
  world.cloud.list = list;
  world.batch.finish(job);
  assert.equal(world.cloud.counts.most, 1);
  sound(world);
});

test('a no to the second request for a lease does not end it: the first may have made the machine', async () => {
  await using world = makeWorld({ hosts: 1 });
  const list = world.cloud.list.bind(world.cloud);
  world.cloud.list = async () => [];
  world.cloud.fault('create', { do: 'lost' }, 1);
  world.submit({}, MINUTE);
  await world.until('it was made', () => world.cloud.machines().length === 1, MINUTE);
  world.cloud.fault('create', { do: 'error', kind: 'throttled' }, 3);
  await world.until('the second answer is there', () => /throttled/.test(events(world)), 5 * MINUTE);
  assert.equal(world.states()[0], 'starting');
  world.cloud.list = list;
  await world.until('it runs', () => world.batch.running.length === 1, 10 * MINUTE);
  assert.equal(world.cloud.counts.made, 1);
  sound(world);
});

test('half of a batch: the one that was refused waits, the others work', async () => {
  await using world = makeWorld();
  world.cloud.fault('create', { do: 'partial', first: 2, kind: 'capacity' });
  for (let i = 0; i < 4; i++) world.submit({ exclusive: true }, 10 * MINUTE);
  await world.until('two run', () => world.batch.running.length === 2, 3 * MINUTE);
  await world.until('four run', () => world.batch.running.length === 4, 10 * MINUTE);
  assert.equal(world.cloud.counts.made, 4);
  sound(world);
});

test('an address that somebody holds quarantines its host; another one takes the job', async () => {
  await using world = makeWorld();
  world.cloud.occupy('10.0.0.1');
  world.submit({ exclusive: true }, MINUTE);
  await world.until('it runs', () => world.batch.running.length === 1, 10 * MINUTE);
  assert.equal(world.states()[0], 'quarantined');
  assert.deepEqual(
    world.cloud.machines().map((one) => one.host),
    ['c2'],
  );
});

test('a machine of the same name that is not ours: one empty list when the pause ends brings no second one', async () => {
  await using world = makeWorld({ hosts: 1 });
  const list = world.cloud.list.bind(world.cloud);
  const stranger = {
    id: 'old',
    host: 'c1',
    ip: '10.9.9.9',
    state: 'running',
    lease: null,
    since: null,
    message: '',
  } as const;
  let seen = true;
  world.cloud.list = async (signal) => (seen ? [...(await list(signal)), stranger] : list(signal));
  const job = world.submit({}, MINUTE);
  await world.until('it is left alone', () => world.states()[0] === 'quarantined', MINUTE);
  await world.pass(20 * MINUTE);
  seen = false;
  await world.pass(MINUTE);
  assert.equal(world.states()[0], 'quarantined', 'a list that lacks it for a minute is not believed');
  seen = true;
  await world.pass(10 * MINUTE);
  assert.equal(world.cloud.counts.made, 0);
  seen = false;
  await world.until('it is really gone, and the job runs', () => world.batch.running.includes(job), 10 * MINUTE);
  sound(world);
});

test('something that answers on a free address quarantines its host before anything is created there', async () => {
  await using world = makeWorld();
  world.bootstrap.haunt('10.0.0.1');
  world.submit({ exclusive: true }, MINUTE);
  await world.until('it runs', () => world.batch.running.length === 1, 10 * MINUTE);
  assert.equal(world.states()[0], 'quarantined');
  assert.match(events(world), /something already answers on 10\.0\.0\.1/);
});

test('the batch system is silent: nothing is created, drained or deleted, and it is said', async () => {
  await using world = makeWorld();
  world.submit({ exclusive: true }, 2 * MINUTE);
  await world.until('it runs', () => world.batch.running.length === 1);
  world.batch.fail('silent');
  const before = { ...world.cloud.counts };
  await world.pass(60 * MINUTE);
  assert.equal(world.cloud.counts.create, before.create);
  assert.equal(world.cloud.counts.delete, before.delete);
  assert.match(world.controller.control.status().summary, /^nothing changed because the batch system does not answer/);
  assert.equal(
    world.store.events(1000).filter((event) => /does not answer|until it answers/.test(event.text)).length,
    1,
    'said once, not at every look',
  );
  world.batch.fail(null);
  await world.until('it goes on', () => world.states().every((state) => state === 'free'), 30 * MINUTE);
  sound(world);
});

test('a list that is suddenly empty while the nodes still answer stops everything', async () => {
  await using world = makeWorld();
  for (let i = 0; i < 4; i++) world.submit({ exclusive: true }, 60 * MINUTE);
  await world.until('all run', () => world.batch.running.length === 4);
  const { list } = world.cloud;
  world.cloud.list = async () => [];
  await world.pass(30 * MINUTE);
  assert.deepEqual(world.states(), ['ready', 'ready', 'ready', 'ready']);
  assert.match(
    world.controller.control.status().summary,
    /nothing is changed: the cloud suddenly lists 4 of 4 machines no more/,
  );
  world.cloud.list = list;
  await world.until('all end and go', () => world.states().every((state) => state === 'free'), 90 * MINUTE);
  sound(world);
});

test('a machine that vanishes is replaced, its host used again', async () => {
  await using world = makeWorld({ hosts: 2 });
  world.submit({ exclusive: true }, 20 * MINUTE);
  await world.until('it runs', () => world.batch.running.length === 1);
  world.cloud.vanish('c1');
  await world.until(
    'the job runs again',
    () => world.batch.running.length === 1 && world.cloud.counts.made === 2,
    30 * MINUTE,
  );
});

test('machines that never come up open the breaker; it is tried again with one, and heals', async () => {
  await using world = makeWorld();
  for (const host of world.pool.hosts) world.bootstrap.fail(host.name, 'mount', 1);
  for (let i = 0; i < 4; i++) world.submit({ exclusive: true }, 10 * MINUTE);
  await world.until('the breaker is open', () => world.controller.control.status().brake?.kind === 'boot', 10 * MINUTE);
  await world.until('all run in the end', () => world.batch.running.length === 4, 60 * MINUTE);
  assert.equal(world.controller.control.status().brake, null);
  sound(world);
});

test('a host that fails again and again is quarantined, longer each time; release ends it', async () => {
  await using world = makeWorld({ hosts: 1 });
  world.bootstrap.fail('c1', 'mount', 3);
  world.submit({}, MINUTE);
  await world.until('it is quarantined', () => world.states()[0] === 'quarantined', 60 * MINUTE);
  assert.match(world.controller.control.explain('c1')?.text ?? '', /failed 2 times in a row/i);
  assert.equal(world.controller.control.release('c1', 'taro').ok, true);
  await world.until('it is tried again', () => world.states()[0] === 'starting', MINUTE);
});

for (const at of ['starting', 'preparing', 'joining', 'ready', 'draining', 'stopping', 'cooling'] as const) {
  test(`a restart while a host is ${at} changes nothing in the end`, async () => {
    await using world = makeWorld({ hosts: 2, bootTime: 20 * SECOND });
    if (at === 'preparing') world.bootstrap.hang('c1');
    const { joinCluster } = world.batch;
    if (at === 'joining')
      world.batch.joinCluster = async (hosts) =>
        hosts.map((host) => ({ host, result: 'not-yet' as const, message: '' }));
    world.submit({ exclusive: true }, 30 * SECOND);
    await world.until(`a host is ${at}`, () => world.states().includes(at), 30 * MINUTE);
    await world.restart();
    world.bootstrap.hang('c1', false);
    world.batch.joinCluster = joinCluster;
    await world.until(
      'it ends as ever',
      () => world.batch.running.length === 0 && world.states().every((state) => state === 'free'),
      60 * MINUTE,
    );
    assert.equal(world.cloud.counts.made, 1);
    assert.equal(world.cloud.machines().length, 0);
    sound(world);
  });
}

test('the idle clock goes on over a restart', async () => {
  await using world = makeWorld({ hosts: 1 });
  world.submit({}, 10 * SECOND);
  await world.until('it is idle', () => world.store.host('c1')?.idleSince != null, 10 * MINUTE);
  await world.pass(8 * MINUTE);
  await world.restart();
  await world.until('it drains', () => world.states()[0] !== 'ready', 3 * MINUTE);
});

test('a job that can never fit is told so once, where its owner looks', async () => {
  await using world = makeWorld();
  const job = world.submit({ nodes: 9 }, MINUTE);
  await world.pass(MINUTE);
  assert.equal(world.batch.told.get(job), 'can never fit: asks for 9 hosts, the queue can have 4');
  assert.equal(world.batch.calls.tell, 1);
  assert.equal(world.cloud.counts.create, 0);
});

test('two calls to the scheduler per look when nothing changes: one reading', async () => {
  await using world = makeWorld();
  await world.pass(MINUTE);
  const before = { ...world.batch.calls };
  await world.pass(50 * SECOND);
  assert.equal(world.batch.calls.getStatus - before.getStatus, 10);
  assert.deepEqual(
    [world.batch.calls.joinCluster, world.batch.calls.leaveCluster],
    [before.joinCluster, before.leaveCluster],
  );
});

test('POLICY=classic: one node at a time, all together at the end', async () => {
  await using world = makeWorld({ pool: { policy: 'classic' } });
  for (let i = 0; i < 3; i++) world.submit({ exclusive: true }, 10 * MINUTE);
  let most = 0;
  await world.until('three run', () => {
    most = Math.max(
      most,
      world.states().filter((state) => ['starting', 'preparing', 'joining'].includes(state)).length,
    );
    return world.batch.running.length === 3;
  });
  assert.equal(most, 1);
  await world.until('all are free', () => world.states().every((state) => state === 'free'), 60 * MINUTE);
  const drains = world.store.events(1000).filter((event) => /ready -> draining/.test(event.text));
  assert.equal(new Set(drains.map((event) => event.at)).size, 1, 'all at the same moment');
  sound(world);
});
