/**
 * The real service as a process through seeded trouble, in real time. (Thousands of histories in simulated time:
 * src/sim/chaos.)
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceChaos } from './service.ts';

const root = process.getuid?.() === 0;

for (const seed of [1, 2]) {
  test(`the service as a process, through trouble of every kind (seed ${seed})`, { timeout: 280_000 }, async (t) => {
    // Without root the disk cannot be filled; every other trouble stays.
    const { violations, history, counts, log } = await serviceChaos({ seed, seconds: 20, smallDisk: root, patience: 200 });
    assert.deepEqual(violations, [], `${history.join('\n')}\n${log.slice(-6000)}`);
    assert.ok(counts.calls > 20 && counts.made > 0, JSON.stringify(counts));
    t.diagnostic(`${JSON.stringify(counts)}, ${history.length} troubles`);
  });
}
