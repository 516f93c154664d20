import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LockedError, lockState } from './lock.ts';
import { openDatabase } from './open.ts';
import { sqliteStore } from './sqlite.ts';
import type { Store } from './store.ts';

const HOSTS = [
  { name: 'c2', ip: '10.0.0.2' },
  { name: 'c10', ip: '10.0.0.10' },
  { name: 'c1', ip: '10.0.0.1' },
];

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'hc-store-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

function open(dir: string): Store {
  return sqliteStore(openDatabase(join(dir, 'state.db'), 'now').db);
}

test('hosts keep the order of hosts.json', (t) => {
  using store = open(folder(t));
  store.register(HOSTS, 5);
  assert.deepEqual(
    store.hosts().map((host) => [host.name, host.state, host.since]),
    [
      ['c2', 'free', 5],
      ['c10', 'free', 5],
      ['c1', 'free', 5],
    ],
  );
  store.register(HOSTS.toReversed(), 6);
  assert.deepEqual(
    store.hosts().map((host) => host.name),
    ['c1', 'c10', 'c2'],
  );
});

test('a move is there after a restart, with everything that changed with it', (t) => {
  const dir = folder(t);
  {
    using store = open(dir);
    store.register(HOSTS, 1);
    store.move('c1', 'starting', 'a job waits', 7, { lease: 'hc-1', bornAt: 7, registrationBefore: 'x' });
    store.touch('c1', { machineId: 'm-1', missingSince: 9 });
    store.hold('c1', true);
    store.setClocks({ emptySince: 3, noWaitingSince: null });
    store.setBrake({ kind: 'quota', message: 'full', until: 99, strikes: 2, bootFailures: 1 });
    store.setNote('told', '{}');
  }
  using store = open(dir);
  const host = store.host('c1');
  assert.equal(host?.state, 'starting');
  assert.deepEqual([host?.lease, host?.bornAt, host?.registrationBefore, host?.machineId], ['hc-1', 7, 'x', 'm-1']);
  assert.deepEqual([host?.missingSince, host?.held, host?.reason], [9, true, 'a job waits']);
  assert.deepEqual(store.clocks(), { emptySince: 3, noWaitingSince: null });
  assert.equal(store.brake().until, 99);
  assert.equal(store.note('told'), '{}');
  assert.equal(store.note('other'), null);
});

test('a move that the lifecycle does not allow is refused and changes nothing', (t) => {
  using store = open(folder(t));
  store.register(HOSTS, 1);
  assert.throws(() => store.move('c1', 'joining', 'no', 2), /c1 may not go from free to joining/);
  assert.equal(store.host('c1')?.state, 'free');
});

test('a host that is no longer registered stays until its machine is gone', (t) => {
  using store = open(folder(t));
  store.register(HOSTS, 1);
  store.move('c1', 'starting', 'x', 2);
  assert.deepEqual(store.register([{ name: 'c2', ip: '10.0.0.2' }], 3), ['c1']);
  assert.deepEqual(
    store.hosts().map((host) => host.name),
    ['c2', 'c1'],
  );
  store.move('c1', 'cooling', 'gone', 4);
  assert.deepEqual(store.register([{ name: 'c2', ip: '10.0.0.2' }], 5), []);
  assert.deepEqual(
    store.hosts().map((host) => host.name),
    ['c2'],
  );
});

test('a changed address waits until the host has no machine', (t) => {
  using store = open(folder(t));
  store.register([{ name: 'c1', ip: '10.0.0.1' }], 1);
  store.move('c1', 'starting', 'x', 2);
  store.register([{ name: 'c1', ip: '10.0.0.9' }], 3);
  assert.equal(store.host('c1')?.ip, '10.0.0.1');
  store.move('c1', 'cooling', 'gone', 4);
  store.register([{ name: 'c1', ip: '10.0.0.9' }], 5);
  assert.equal(store.host('c1')?.ip, '10.0.0.9');
});

test('events come oldest first, the newest of them, and after a given one', (t) => {
  using store = open(folder(t));
  for (let i = 1; i <= 5; i++) store.event('info', null, `event ${i}`, i);
  assert.deepEqual(
    store.events(2).map((event) => event.text),
    ['event 4', 'event 5'],
  );
  assert.deepEqual(
    store.events(10, 3).map((event) => event.id),
    [4, 5],
  );
});

test('events stay bounded', (t) => {
  using store = sqliteStore(openDatabase(join(folder(t), 'state.db'), 'now').db, { journal: 100, events: 100 });
  for (let i = 1; i <= 1000; i++) store.event('info', null, `event ${i}`, i);
  const kept = store.events(20_000);
  assert.ok(kept.length >= 100 && kept.length <= 200, `${kept.length} are kept`);
  assert.equal(kept.at(-1)?.text, 'event 1000');
});

for (const [what, content] of [
  ['text', 'this is no database'.repeat(100)],
  ['a header and rubbish', `SQLite format 3\u0000${'rubbish'.repeat(500)}`],
] as const) {
  test(`a damaged database (${what}) is set aside and a new one begun`, (t) => {
    const dir = folder(t);
    writeFileSync(join(dir, 'state.db'), content);
    const { db, setAside } = openDatabase(join(dir, 'state.db'), '20261123T120000');
    using store = sqliteStore(db);
    store.register(HOSTS, 1);
    assert.equal(store.hosts().length, 3);
    assert.equal(setAside, join(dir, 'state.db.damaged-20261123T120000'));
    assert.ok(readdirSync(dir).includes('state.db.damaged-20261123T120000'));
  });
}

test('a second service is refused, naming the first one’s pid; the lock ends with its holder', (t) => {
  const dir = folder(t);
  const first = lockState(dir, 4711);
  assert.throws(
    () => lockState(dir, 4712),
    (error) => error instanceof LockedError && /pid 4711/.test(error.message),
  );
  first[Symbol.dispose]();
  lockState(dir, 4712)[Symbol.dispose]();
});
