import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from './clock.ts';
import { steadyClock } from './steady.ts';

test('a step of the wall clock moves nothing; the offset tells of it', async () => {
  const real = manualClock(1_000_000);
  let step = 0;
  const steady = steadyClock({ ...real, now: () => real.now() + step });
  assert.equal(steady.now(), 1_000_000);
  step = 3_600_000;
  await real.advance(5000);
  assert.equal(steady.now(), 1_005_000);
  assert.equal(steady.offset(), 3_600_000);
  step = -10 * 365 * 86_400_000;
  assert.equal(steady.now(), 1_005_000);
  assert.equal(steady.offset(), step);
  step = 400;
  assert.equal(steady.offset(), 0, 'the slow hand of NTP is no step');
});
