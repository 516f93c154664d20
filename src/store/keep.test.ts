import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { manualClock } from '../lib/clock.ts';
import { quietLog } from '../lib/log.ts';
import { backups } from './backup.ts';
import { keepState } from './keep.ts';
import { openDatabase } from './open.ts';
import { sqliteStore } from './sqlite.ts';

const MINUTE = 60_000;

function world(t: TestContext) {
  const stateDir = mkdtempSync(join(tmpdir(), 'hc-keep-'));
  t.after(() => rmSync(stateDir, { recursive: true, force: true }));
  const { db } = openDatabase(join(stateDir, 'state.db'), 'x');
  const clock = manualClock();
  const said: string[] = [];
  const ends: number[] = [];
  const parts = {
    clock,
    steady: clock,
    boot: () => 7,
    log: { ...quietLog, error: (text: string) => void said.push(text) },
    end(code: number): never {
      ends.push(code);
      throw new Error('ended');
    },
  };
  const moment = () => {
    const row = db.prepare("SELECT value FROM service WHERE key = 'moment'").get() as { value: string };
    return JSON.parse(row.value).steady as number;
  };
  return { stateDir, db, clock, said, ends, parts, moment };
}

test('the moment is written down twice a minute and at the end; backups come in their time, so many', async (t) => {
  const w = world(t);
  using _ = sqliteStore(w.db);
  const settings = { stateDir: w.stateDir, backup: { every: 10 * MINUTE, keep: 3 } };
  const keeping = keepState(w.db, settings, w.parts);
  const began = w.clock.now();
  assert.equal(w.moment(), began);
  await w.clock.advance(MINUTE);
  assert.ok(w.moment() >= began + MINUTE / 2);
  assert.equal(backups(w.stateDir).length, 0);
  await w.clock.advance(60 * MINUTE);
  assert.equal(backups(w.stateDir).length, 3);
  await w.clock.advance(7000);
  await keeping[Symbol.asyncDispose]();
  assert.equal(w.moment(), w.clock.now());
  assert.deepEqual(w.said, []);
});

test('with never there is no backup', async (t) => {
  const w = world(t);
  using _ = sqliteStore(w.db);
  const settings = { stateDir: w.stateDir, backup: { every: null, keep: 3 } };
  await using _keeping = keepState(w.db, settings, w.parts);
  await w.clock.advance(600 * MINUTE);
  assert.equal(backups(w.stateDir).length, 0);
});

test('trouble is told once, and goes on being tried', async (t) => {
  const w = world(t);
  using _ = sqliteStore(w.db);
  const settings = { stateDir: join(w.stateDir, 'state.db'), backup: { every: MINUTE, keep: 3 } };
  await using _keeping = keepState(w.db, settings, w.parts);
  await w.clock.advance(10 * MINUTE);
  assert.equal(w.said.length, 1, w.said.join(' | '));
  assert.match(w.said[0] ?? '', /no backup of the database was made: /);
  assert.deepEqual(w.ends, []);
});
