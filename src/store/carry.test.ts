import assert from 'node:assert/strict';
import { test } from 'node:test';
import { carryClocks, carryOver, keepMoment } from './carry.ts';
import { memoryDatabase } from './open.ts';
import { sqliteStore } from './sqlite.ts';

const HOUR = 3_600_000;
const T = 1_800_000_000_000;
const last = { steady: T, wall: T, boot: 50 * HOUR };

test('a plain restart moves nothing: the time it was down counts', () => {
  assert.equal(carryOver(last, { wall: T + HOUR, boot: 51 * HOUR }), 0);
  assert.equal(carryOver(last, { wall: T + HOUR + 1500, boot: 51 * HOUR }), 0, 'NTP was at work');
});

test('a wall clock that was set while the service was down: only what had elapsed has elapsed', () => {
  assert.equal(carryOver(last, { wall: T + 24 * HOUR, boot: 50 * HOUR + 5000 }), 24 * HOUR);
  assert.equal(carryOver(last, { wall: T - 24 * HOUR, boot: 50 * HOUR + 5000 }), -24 * HOUR);
});

test('after a reboot, or on another machine, the time in between counts as nothing', () => {
  assert.equal(carryOver(last, { wall: T + HOUR, boot: 60_000 }), HOUR);
  assert.equal(carryOver(last, { wall: T + HOUR, boot: 400 * HOUR }), HOUR);
});

test('a step while the service ran is put right at the next start, and the time it was down counts', () => {
  const stepped = { steady: T, wall: T + 5 * HOUR, boot: 50 * HOUR };
  assert.equal(carryOver(stepped, { wall: T + 6 * HOUR, boot: 51 * HOUR }), 5 * HOUR);
});

test('all stored clocks are moved, none into the future, and a restart without a step leaves them as they are', () => {
  const db = memoryDatabase();
  const store = sqliteStore(db);
  store.register([{ name: 'c1', ip: '10.0.0.1' }], T - 3 * HOUR);
  store.move('c1', 'starting', 'x', T - 2 * HOUR, { bornAt: T - 2 * HOUR });
  store.touch('c1', { idleSince: T - 60_000, missingSince: T + 1000, retryAt: T + 30_000 });
  store.setClocks({ emptySince: T - 500_000, noWaitingSince: null });
  store.setBrake({ kind: 'quota', message: 'until 5', until: T + 70_000, strikes: 1, bootFailures: 2 });
  store.setNote('told', '{"until":5}');
  keepMoment(db, last);
  assert.equal(carryClocks(db, { wall: T + 1000, boot: last.boot + 1000 }), 0);
  assert.equal(store.clocks().emptySince, T - 500_000);

  const now = T + 24 * HOUR;
  assert.equal(carryClocks(db, { wall: now, boot: 1000 }), 24 * HOUR);
  const host = store.host('c1');
  assert.deepEqual(
    [host?.since, host?.bornAt, host?.idleSince, host?.missingSince, host?.retryAt].map((at) => (at ?? 0) - now),
    [-2 * HOUR, -2 * HOUR, -60_000, 0, 30_000],
  );
  assert.deepEqual(store.clocks(), { emptySince: now - 500_000, noWaitingSince: null });
  assert.deepEqual(store.brake(), {
    kind: 'quota',
    message: 'until 5',
    until: now + 70_000,
    strikes: 1,
    bootFailures: 2,
  });
  assert.equal(store.note('told'), '{"until":5}');
});

test('a start that dies before it has written down a moment of its own: the clocks are moved once', () => {
  const db = memoryDatabase();
  const store = sqliteStore(db);
  store.setClocks({ emptySince: null, noWaitingSince: T - 500_000 });
  keepMoment(db, last);
  const now = T + 24 * HOUR;
  assert.equal(carryClocks(db, { wall: now, boot: last.boot + 5000 }), 24 * HOUR);
  assert.equal(carryClocks(db, { wall: now + 1000, boot: last.boot + 6000 }), 0);
  assert.equal(store.clocks().noWaitingSince, now - 500_000);
  assert.equal(carryClocks(db, { wall: now - HOUR, boot: last.boot + 6000 }), -HOUR, 'another step counts anew');
});

test('what machines that are there have cost goes with the clock, what those before them have cost stays', () => {
  const db = memoryDatabase();
  const store = sqliteStore(db);
  store.register([{ name: 'c1', ip: '10.0.0.1' }], T);
  store.move('c1', 'starting', 'x', T, { machineId: 'm-2' });
  const life = { host: 'c1', cloud: 'a', price: 2 };
  store.seen([{ ...life, machine: 'm-1', began: T - 5 * HOUR }], T - 4 * HOUR);
  store.seen([{ ...life, machine: 'm-2', began: T - HOUR }], T);
  keepMoment(db, last);
  assert.equal(carryClocks(db, { wall: T + 24 * HOUR, boot: 1000 }), 24 * HOUR);
  store.seen([{ ...life, machine: 'm-2', began: T - HOUR }], T + 25 * HOUR);
  assert.deepEqual(store.spent(T).get('a'), { nodeHours: 2, money: 4 }, 'two hours, not twenty-six');
  assert.deepEqual(store.spent(T - 6 * HOUR).get('a'), { nodeHours: 3, money: 6 });
});
