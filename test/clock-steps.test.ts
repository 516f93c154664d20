// time limit: 240 s
/**
 * Somebody sets the wall clock, while the service runs and while it does not: nothing is deleted early for it, and
 * nothing stays for ever.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { until } from './support/lab.ts';
import { twoHeads } from './support/two-heads.ts';

const HOUR = 3_600_000;
/** IDLE_NODE_WAIT_TIME, ms. */
const IDLE = 15_000;

describe('steps of the wall clock', { concurrency: 2 }, () => {
  for (const [what, steps] of [
    ['forward', [HOUR, 30 * HOUR]],
    ['back', [-HOUR, -30 * HOUR]],
  ] as const) {
    test(`${what}, twice: an idle node goes when its time is over, by no clock but the steady one`, async (t) => {
      const heads = twoHeads(t);
      const settings = { IDLE_NODE_WAIT_TIME: IDLE / 1000 };
      const first = heads.start('A', settings);
      heads.jobs('1');
      await until('c1 is ready', async () => (await first.nodes())[0]?.state === 'ready');
      const idle = performance.now();
      heads.jobs();
      await until('it is idle', async () => (await first.nodes())[0]?.idleSince !== null);

      heads.wall(steps[0]);
      const looked = (await first.status()).batch.lastGoodAt ?? 0;
      await until('it looks again', async () => ((await first.status()).batch.lastGoodAt ?? 0) !== looked);
      const [node] = await first.nodes();
      const view = await first.status();
      assert.equal(node?.state, 'ready');
      const shown = view.at - (node?.idleSince ?? 0);
      assert.ok(shown >= 0 && shown < IDLE, `it is shown to be idle for ${shown} ms`);
      assert.ok(Math.abs(view.at - (Date.now() + steps[0])) < 60_000, 'people see the wall clock');

      first.signal('SIGKILL');
      await first.exited;
      heads.wall(steps[1]);
      const second = heads.start('A', settings);
      await until('it looked', async () => (await second.status()).batch.ok);
      await until('the idle node goes in the end', () => heads.machines().length === 0);
      const took = performance.now() - idle;
      assert.ok(took >= IDLE - 1000, `it was deleted after ${Math.round(took)} ms`);
    });
  }
});
