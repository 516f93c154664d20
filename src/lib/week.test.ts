import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isZone, timeOfWeek } from './week.ts';

const at = (text: string) => Date.parse(text);
const WEEK = [1, 2, 3, 4, 5];

describe('Monday to Friday, 8 to 18 o’clock in Tokyo', () => {
  const inside = timeOfWeek({ days: WEEK, from: 8 * 60, to: 18 * 60, zone: 'Asia/Tokyo' });
  for (const [when, is] of [
    ['2026-11-23T07:59:59+09:00', false],
    ['2026-11-23T08:00:00+09:00', true],
    ['2026-11-23T12:34:56+09:00', true],
    ['2026-11-23T17:59:59+09:00', true],
    ['2026-11-23T18:00:00+09:00', false],
    ['2026-11-27T17:59:00+09:00', true],
    ['2026-11-28T12:00:00+09:00', false],
    ['2026-11-29T12:00:00+09:00', false],
  ] as const) {
    test(`${when}: ${is}`, () => assert.equal(inside(at(when)), is));
  }
});

describe('over midnight: Friday 22:30 to 06:15', () => {
  const inside = timeOfWeek({ days: [5], from: 22 * 60 + 30, to: 6 * 60 + 15, zone: 'UTC' });
  for (const [when, is] of [
    ['2026-11-27T22:29:00Z', false],
    ['2026-11-27T22:30:00Z', true],
    ['2026-11-28T00:00:00Z', true],
    ['2026-11-28T06:14:00Z', true],
    ['2026-11-28T06:15:00Z', false],
    ['2026-11-28T22:45:00Z', false],
  ] as const) {
    test(`${when}: ${is}`, () => assert.equal(inside(at(when)), is));
  }
});

test('whole days are one time: no gap at midnight', () => {
  const weekend = timeOfWeek({ days: [6, 0], from: 0, to: 1440, zone: 'UTC' });
  const always = timeOfWeek({ days: [0, 1, 2, 3, 4, 5, 6], from: 0, to: 1440, zone: 'UTC' });
  for (let hour = 0; hour < 168; hour++) {
    const moment = at('2026-11-23T00:00:00Z') + hour * 3_600_000;
    assert.equal(weekend(moment), hour >= 5 * 24, `hour ${hour} after Monday`);
    assert.ok(always(moment));
  }
});

test('summer time: the clock on the wall counts', () => {
  // Berlin: 2026-03-29 02:00 becomes 03:00, 2026-10-25 03:00 becomes 02:00
  const inside = timeOfWeek({ days: [0], from: 60, to: 4 * 60, zone: 'Europe/Berlin' });
  const hours = (from: string) => Array.from({ length: 6 }, (_, i) => inside(at(from) + i * 3_600_000));
  assert.deepEqual(
    hours('2026-03-28T23:30:00Z'),
    [false, true, true, false, false, false],
    '1 to 4 o’clock is two hours',
  );
  assert.deepEqual(hours('2026-10-24T22:30:00Z'), [false, true, true, true, true, false], 'and four in autumn');
});

test('a time zone that does not exist is known', () => {
  assert.equal(isZone('Asia/Tokyo'), true);
  assert.equal(isZone('UTC'), true);
  assert.equal(isZone('Asia/Tokio'), false);
  assert.equal(isZone(''), false);
});
