/**
 * The real service as a process through seeded trouble, in real time. (Thousands of histories in simulated time:
 * src/sim/chaos.)
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../../src/lib/run.ts';
import type { ServiceChaos } from './service.ts';

const skip =
  process.env.CI !== 'true' && process.getuid?.() !== 0 ? 'a network and a small disk of its own need root' : false;

/** Seconds of trouble, and the longest peace after them. */
const [TROUBLE, PEACE] = [15, 150];

test('the service as a process, through trouble of every kind', { skip, timeout: 280_000 }, async (t) => {
  const words = ['1', String(TROUBLE), String(PEACE)];
  const program = [process.execPath, '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'service.ts')];
  const { stdout, stderr } = await run(['unshare', '--net', '--mount', ...program, ...words], { timeout: 270_000 });
  const result = JSON.parse(
    stdout.trim().split('\n').at(-1) || '{"violations":["no result"]}',
  ) as Partial<ServiceChaos>;
  const { violations, history = [], counts, log = '' } = result;
  assert.deepEqual(violations, [], `${history.join('\n')}\n${log.slice(-6000)}\n${stderr}`);
  assert.ok(counts && counts.calls > 20 && counts.made > 0, JSON.stringify(counts));
  t.diagnostic(`${JSON.stringify(counts)}, ${history.length} troubles`);
});
