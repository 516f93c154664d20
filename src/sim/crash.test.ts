// time limit: 600 s
/**
 * The crash sweep: a full life of four hosts with an operator who holds, drains, releases and cleans up, and the service
 * dies once, before or after each of its writes and each of its calls, readings included. Whatever the moment, the new
 * process ends where the undisturbed one ends. A request of the operator that the service died of is made again, as a
 * person would who got no answer.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Control } from '../controller/view.ts';
import { makeWorld, type World } from './world.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Two bursts, the second while nodes of the first drain; then everything goes. @returns what came of it */
async function life(world: World): Promise<string> {
  const jobs = [1, 2, 3, 4].map(() => world.submit({ exclusive: true }, 90 * SECOND));
  jobs.push(world.submit({ nodes: 9 }, SECOND));
  await world.until('all four run', () => world.batch.running.length === 4, 20 * MINUTE);
  ask(world, (control) => control.hold('c4', 'taro'));
  await world.until('all four have ended', () => world.batch.running.length === 0, 20 * MINUTE);
  // The job that fits nowhere is taken back by its owner.
  world.batch.finish(jobs[4] ?? '');
  await world.until(
    'a node drains',
    () => world.states().includes('draining') || world.states().includes('stopping'),
    30 * MINUTE,
  );
  jobs.push(world.submit({ exclusive: true }, 60 * SECOND), world.submit({ nodes: 2, exclusive: true }, 60 * SECOND));
  await world.until('the others run', () => world.batch.running.length === 2, 20 * MINUTE);
  ask(world, (control) => control.drain('c1', 'taro'));
  ask(world, (control) => control.release('c4', 'taro'));
  ask(world, (control) => control.release(null, 'taro'));
  await world.pass(30 * SECOND);
  ask(world, (control) => control.cleanup('taro'));
  await world.until(
    'all is over',
    () => world.batch.running.length === 0 && world.states().every((state) => state === 'free'),
    60 * MINUTE,
  );
  const held = world.store.hosts().filter((host) => host.held).length;
  const machines = world.cloud.machines().length;
  return `${jobs.length} jobs, ${machines} machines left, ${world.killed.length} jobs killed, at most ${world.cloud.counts.most} machines, ${held} held`;
}

/** Once more when the service died of it. */
function ask(world: World, order: (control: Control) => void): void {
  let answered = false;
  for (let tries = 0; tries < 2 && !answered; tries++) {
    world.operator((control) => {
      order(control);
      answered = true;
    });
  }
}

const options = {
  quick: true,
  mortalReads: true,
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
  assert.equal(expected, '7 jobs, 0 machines left, 0 jobs killed, at most 4 machines, 0 held');
  assert.ok(moments.length > 500, `${moments.length} moments`);
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
