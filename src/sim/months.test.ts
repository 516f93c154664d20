// time limit: 600 s
/**
 * A busy week twice over: the database does not outgrow its limits and the heap does not grow with the work done.
 * `./hybrid-cloud test --months 24` is the long form.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDatabase } from '../store/open.ts';
import { sqliteStore } from '../store/sqlite.ts';
import { months } from './months.ts';

test('two busy weeks: jobs end, machines come and go, and all rows are counted', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hc-months-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { db } = openDatabase(join(folder, 'state.db'), 'now');
  // What a power cut would lose is not the question here.
  db.exec('PRAGMA synchronous=OFF');
  const [first, second] = await months({ database: db, months: 2, days: 7, seed: 1 });
  assert.ok(first && second);
  assert.ok(second.jobs - first.jobs > 250, JSON.stringify(second));
  assert.ok(second.machines - first.machines > 50, JSON.stringify(second));
  assert.ok(second.journal <= 20_500 && second.events <= 10_500);
});

test('a store at its limits stays there, in rows and in bytes', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hc-months-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { db } = openDatabase(join(folder, 'state.db'), 'now');
  db.exec('PRAGMA synchronous=OFF');
  using store = sqliteStore(db, { journal: 1000, events: 1000 });
  store.register([{ name: 'c1', ip: '10.0.0.1' }], 1);
  const size = () => (db.prepare('PRAGMA page_count').get() as { page_count: number }).page_count;
  const live = (times: number) => {
    for (let i = 0; i < times; i++) {
      for (const to of ['starting', 'stopping', 'cooling', 'free'] as const) {
        store.move('c1', to, `move ${i} of a long life of one host`, i);
        store.event('info', 'c1', `event ${i} of a long life of one host`, i);
      }
    }
  };
  live(700);
  const before = size();
  live(3000);
  assert.ok(size() <= before * 1.1, `${before} pages became ${size()}`);
});
