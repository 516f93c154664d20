/**
 * Seeds of chaos: no job killed, no machine doubled or forgotten, nothing stuck. A seed that ever failed stays here.
 * `CHAOS_RUNS=10000 CHAOS_SEED=1` makes it a long one.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chaos } from './chaos.ts';

const runs = Number(process.env.CHAOS_RUNS ?? 20);
const first = Number(process.env.CHAOS_SEED ?? 1);

test(`${runs} histories of trouble end in peace`, async () => {
  for (let seed = first; seed < first + runs; seed++) {
    const { violations, history } = await chaos(seed);
    assert.deepEqual(violations, [], `seed ${seed}:\n${history.join('\n')}`);
  }
});
