// time limit: 600 s
/**
 * Seeds of chaos: no job killed, no machine doubled or forgotten, nothing stuck. `./hybrid-cloud test --chaos 10000` is
 * the long form.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chaos } from './chaos.ts';
import { SEEDS } from './seeds.ts';

const RUNS = 150;

test('seeds that once ended badly end in peace', async () => {
  for (const { seed, found } of SEEDS) {
    const { violations, history, told } = await chaos(seed);
    assert.deepEqual(violations, [], `seed ${seed} (${found}):\n${[...history, '', ...told].join('\n')}`);
  }
});

test(`${RUNS} histories of trouble end in peace`, async (t) => {
  let machines = 0;
  for (let seed = 100_001; seed <= 100_000 + RUNS; seed++) {
    const { violations, history, told, made } = await chaos(seed);
    assert.deepEqual(violations, [], `seed ${seed}:\n${[...history, '', ...told].join('\n')}`);
    machines += made;
  }
  assert.ok(machines > 5 * RUNS, `only ${machines} machines were made: the histories are empty`);
  t.diagnostic(`${machines} machines`);
});

test('the same seed is the same history', async () => {
  const [one, two] = [await chaos(12), await chaos(12)];
  assert.deepEqual(one.history, two.history);
  assert.equal(one.peaceAfter, two.peaceAfter);
});
