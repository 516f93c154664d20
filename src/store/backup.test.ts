import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { BACKUPS, backUp, backups } from './backup.ts';
import { openDatabase, TAILS } from './open.ts';
import { sqliteStore } from './sqlite.ts';

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'hc-backup-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const HOSTS = ['c1', 'c2', 'c3'].map((name, index) => ({ name, ip: `10.0.0.${index + 1}` }));

test('a damaged database is replaced by the newest good backup: holds and pauses stay, lives are found again', (t) => {
  const dir = folder(t);
  const file = join(dir, 'state.db');
  {
    const { db } = openDatabase(file, 'x');
    using store = sqliteStore(db);
    store.register(HOSTS, 1);
    store.move('c1', 'starting', 'a job', 2, { lease: 'hc-1', machineId: 'm-1' });
    store.move('c1', 'stopping', 'late', 3, { failures: 1 });
    store.move('c2', 'quarantined', 'a stranger', 3, { retryAt: 99 });
    store.hold('c3', true);
    store.setClocks({ emptySince: 5, noWaitingSince: 5 });
    store.event('info', null, 'before the backup', 4);
    backUp(db, dir, '20261101T000000', 2);
    backUp(db, dir, '20261102T000000', 2);
    backUp(db, dir, '20261103T000000', 2);
  }
  assert.deepEqual(readdirSync(join(dir, BACKUPS)).sort(), ['state-20261102T000000.db', 'state-20261103T000000.db']);
  for (const tail of TAILS) writeFileSync(file + tail, 'rubbish '.repeat(1000));
  writeFileSync(backups(dir)[0] ?? '', 'rubbish, too '.repeat(1000));

  const { db, setAside, restored } = openDatabase(file, 'now');
  using store = sqliteStore(db);
  assert.equal(setAside, `${file}.damaged-now`);
  assert.equal(restored, join(dir, BACKUPS, 'state-20261102T000000.db'));
  assert.deepEqual(
    store
      .hosts()
      .map(({ name, state, lease, machineId, held, failures }) => [name, state, lease, machineId, held, failures]),
    [
      ['c1', 'free', null, null, false, 1],
      ['c2', 'quarantined', null, null, false, 0],
      ['c3', 'free', null, null, true, 0],
    ],
  );
  assert.equal(store.host('c2')?.retryAt, 99);
  assert.deepEqual(store.clocks(), { emptySince: null, noWaitingSince: null });
  assert.equal(store.events(10)[0]?.text, 'before the backup');
});

test('of a damaged database no backup is made, and none is lost for it', (t) => {
  const dir = folder(t);
  const { db } = openDatabase(join(dir, 'state.db'), 'x');
  using store = sqliteStore(db);
  for (let i = 0; i < 500; i++) store.event('info', null, `event ${i} ${'x'.repeat(200)}`, i);
  const good = backUp(db, dir, '1', 1);
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  // One page in the middle, under an open connection that has not cached it.
  const page = Buffer.alloc(4096, 0xff);
  const { db: other } = { db: openDatabase(join(dir, 'state.db'), 'x').db };
  other.close();
  writeFileSync(join(dir, 'state.db'), page, { flag: 'r+', flush: true });
  db.exec('PRAGMA shrink_memory');
  assert.throws(() => backUp(db, dir, '2', 1), /malformed|not a database/);
  assert.deepEqual(backups(dir), [good]);
});

test('only the last damaged files are kept', (t) => {
  const dir = folder(t);
  const file = join(dir, 'state.db');
  for (const stamp of ['1', '2', '3', '4', '5']) {
    for (const tail of TAILS) writeFileSync(file + tail, 'rubbish '.repeat(1000));
    openDatabase(file, stamp).db.close();
  }
  const kept = readdirSync(dir).filter((name) => /damaged-\d$/.test(name));
  assert.deepEqual(
    kept.sort(),
    ['3', '4', '5'].map((stamp) => `state.db.damaged-${stamp}`),
  );
});
