import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { adoptPools } from './adopt.ts';
import { openDatabase } from './open.ts';
import { sqliteStore } from './sqlite.ts';

const host = (name: string, cloud?: string) => ({
  name,
  ip: `10.0.0.${name.slice(1)}`,
  ...(cloud === undefined ? {} : { cloud }),
});

function file(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'hc-adopt-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, 'state.db');
}

/** A database as the first version wrote it. */
function old(t: TestContext): string {
  const path = file(t);
  const db = new DatabaseSync(path);
  db.exec(readFileSync(new URL('migrations/0001.sql', import.meta.url), 'utf8'));
  db.exec(`PRAGMA user_version=1;
    INSERT INTO hosts VALUES ('c1','10.0.0.1',0,1,'ready',5,'x','hc-1','m-1',NULL,3,0,NULL,NULL,NULL,1,NULL);
    INSERT INTO hosts VALUES ('c2','10.0.0.2',1,1,'free',5,'x',NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,0,NULL);
    INSERT INTO events (at, level, subject, text) VALUES (1,'info','c1','before');
    INSERT INTO facts VALUES ('brake','{"kind":"quota","message":"full","until":9,"strikes":1,"bootFailures":0}');
    INSERT INTO facts VALUES ('note:told','"{}"');`);
  db.close();
  return path;
}

test('a database of the first version is adopted by the only pool: hosts, holds, brake, notes and events', (t) => {
  const { db } = openDatabase(old(t), 'now');
  assert.deepEqual(adoptPools(db, [{ name: 'cloud', hosts: [host('c1'), host('c2')] }]), []);
  using store = sqliteStore(db, { pool: 'cloud' });
  store.register([host('c1'), host('c2')], 10);
  assert.equal(store.host('c1')?.machineId, 'm-1');
  assert.equal(store.host('c1')?.held, true);
  assert.equal(store.brake().kind, 'quota');
  assert.equal(store.note('told'), '{}');
  assert.deepEqual(
    store.events(9).map((event) => event.text),
    ['before'],
  );
});

test('the only pool may get another name', (t) => {
  const { db } = openDatabase(file(t), 'now');
  const before = sqliteStore(db, { pool: 'cloud' });
  before.register([host('c1')], 1);
  before.move('c1', 'starting', 'x', 2, { lease: 'hc-1' });
  adoptPools(db, [{ name: 'other', hosts: [host('c1')] }]);
  using store = sqliteStore(db, { pool: 'other' });
  assert.deepEqual(store.register([host('c1')], 3), []);
  assert.equal(store.host('c1')?.lease, 'hc-1');
});

test('one pool becomes two: every host goes to the pool that registers it now', (t) => {
  const { db } = openDatabase(old(t), 'now');
  const pools = [
    { name: 'a', hosts: [host('c2')] },
    { name: 'b', hosts: [host('c1', 'aws')] },
  ];
  assert.deepEqual(adoptPools(db, pools), []);
  using a = sqliteStore(db, { pool: 'a' });
  const b = sqliteStore(db, { pool: 'b' });
  a.register([host('c2')], 10);
  b.register([host('c1', 'aws')], 10);
  assert.deepEqual(
    [a.hosts().map((one) => one.name), b.hosts().map((one) => [one.name, one.cloud, one.machineId])],
    [['c2'], [['c1', 'aws', 'm-1']]],
  );
});

test('pools see nothing of one another', (t) => {
  const { db } = openDatabase(file(t), 'now');
  using a = sqliteStore(db, { pool: 'a' });
  const b = sqliteStore(db, { pool: 'b' });
  a.register([host('c1')], 1);
  b.register([host('c2')], 1);
  b.setBrake({ kind: 'auth', message: 'x', until: 1, strikes: 1, bootFailures: 0 });
  a.setBrake({ kind: 'quota', message: 'x', until: 1, strikes: 1, bootFailures: 0 }, 'aws');
  b.setClocks({ emptySince: 7, noWaitingSince: 7 });
  b.setNote('told', 'b');
  b.event('info', null, 'of b', 1);
  assert.equal(a.host('c2'), undefined);
  assert.equal(a.brake().kind, null);
  assert.equal(a.brake('aws').kind, 'quota');
  assert.equal(b.brake('aws').kind, null);
  assert.equal(a.clocks().emptySince, null);
  assert.equal(a.note('told'), null);
  assert.deepEqual(a.events(9), []);
  assert.throws(() => a.move('c2', 'starting', 'x', 2), /no such host/);
  a.touch('c2', { machineId: 'stolen' });
  assert.equal(b.host('c2')?.machineId, null);
});

test('a host that moves to another pool goes there when its machine is gone', (t) => {
  const { db } = openDatabase(file(t), 'now');
  using a = sqliteStore(db, { pool: 'a' });
  const b = sqliteStore(db, { pool: 'b' });
  a.register([host('c1'), host('c2')], 1);
  a.move('c1', 'starting', 'x', 2, { lease: 'hc-1' });
  const now = [
    { name: 'a', hosts: [] },
    { name: 'b', hosts: [host('c1'), host('c2')] },
  ];
  assert.deepEqual(adoptPools(db, now), []);
  assert.deepEqual(a.register([], 3), ['c1'], 'it is brought to its end where it was made');
  b.register([host('c1'), host('c2')], 3);
  assert.deepEqual([b.host('c1'), b.host('c2')?.state], [undefined, 'free']);
  a.move('c1', 'cooling', 'gone', 4);
  a.register([], 5);
  b.register([host('c1'), host('c2')], 6);
  assert.equal(b.host('c1')?.state, 'free');
});

test('a host with a machine whose pool is configured no more is told, and nobody has it', (t) => {
  const { db } = openDatabase(file(t), 'now');
  const gone = sqliteStore(db, { pool: 'gone' });
  sqliteStore(db, { pool: 'a' }).register([host('c1')], 1);
  gone.register([host('c8'), host('c9')], 1);
  gone.move('c9', 'starting', 'x', 2, { machineId: 'm-9' });
  const orphans = adoptPools(db, [{ name: 'a', hosts: [host('c1')] }]);
  assert.deepEqual(orphans, [{ host: 'c9', pool: 'gone', machineId: 'm-9' }]);
  using a = sqliteStore(db, { pool: 'a' });
  a.register([host('c1')], 3);
  assert.deepEqual(
    a.hosts().map((one) => one.name),
    ['c1'],
  );
});

test('a host keeps its cloud while it has a machine', (t) => {
  const { db } = openDatabase(file(t), 'now');
  using store = sqliteStore(db, { pool: 'a' });
  store.register([host('c1', 'campus')], 1);
  store.move('c1', 'starting', 'x', 2);
  store.register([host('c1', 'aws')], 3);
  assert.equal(store.host('c1')?.cloud, 'campus');
  store.move('c1', 'cooling', 'gone', 4);
  store.register([host('c1', 'aws')], 5);
  assert.equal(store.host('c1')?.cloud, 'aws');
});
