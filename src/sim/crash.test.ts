/**
 * The crash sweep: a full life of four hosts, and the service dies once, before or after each of its writes and calls.
 * Whatever the moment, the new process ends where the undisturbed one ends.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeWorld, type World } from './world.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Two bursts, the second while nodes of the first drain; then everything goes. @returns what came of it */
async function life(world: World): Promise<string> {
  const jobs = [1, 2, 3, 4].map(() => world.submit({ exclusive: true }, 90 * SECOND));
  await world.until('all four run', () => world.batch.running.length === 4, 20 * MINUTE);
  await world.until('all four have ended', () => world.batch.running.length === 0, 20 * MINUTE);
  await world.until(
    'a node drains',
    () => world.states().includes('draining') || world.states().includes('stopping'),
    30 * MINUTE,
  );
  jobs.push(world.submit({ exclusive: true }, 60 * SECOND), world.submit({ nodes: 2, exclusive: true }, 60 * SECOND));
  await world.until('the others run', () => world.batch.running.length === 2, 20 * MINUTE);
  await world.until(
    'all is over',
    () => world.batch.running.length === 0 && world.states().every((state) => state === 'free'),
    60 * MINUTE,
  );
  const { machines } = { machines: world.cloud.machines().length };
  return `${jobs.length} jobs, ${machines} machines left, ${world.killed.length} jobs killed, at most ${world.cloud.counts.most} machines`;
}

const options = {
  bootTime: 20 * SECOND,
  pool: { timing: { cleanup: MINUTE, idle: MINUTE, boot: 300 * SECOND, prepare: MINUTE, join: MINUTE, stop: MINUTE } },
};

test('the service dies once at every write and every call of a life of four hosts, and ends as if it had not', async (t) => {
  const moments: string[] = [];
  const calm = makeWorld({
    ...options,
    dies: (what) => {
      moments.push(what);
      return false;
    },
  });
  const expected = await life(calm);
  assert.equal(expected, '6 jobs, 0 machines left, 0 jobs killed, at most 4 machines');
  assert.ok(moments.length > 100, `${moments.length} moments`);
  await calm[Symbol.asyncDispose]();

  for (const [moment, what] of moments.entries()) {
    let at = 0;
    const world = makeWorld({ ...options, dies: () => at++ === moment });
    try {
      assert.equal(await life(world), expected);
    } catch (error) {
      throw new Error(`death at moment ${moment} (${what}): ${(error as Error).message}`, { cause: error });
    } finally {
      await world[Symbol.asyncDispose]();
    }
  }
  t.diagnostic(`${moments.length} deaths`);
});
