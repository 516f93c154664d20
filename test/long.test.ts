/**
 * The long forms, in short: what they are asked for is what they do, and what they find decides the exit code.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../src/lib/clock.ts';
import { run } from '../src/lib/run.ts';
import { longForm } from './long.ts';

async function call(...args: string[]) {
  let out = '';
  const root = join(import.meta.dirname, '..');
  const write = (text: string) => {
    out += text;
  };
  const code = await longForm(args, { root, node: process.execPath, run, clock: systemClock, write, env: {} });
  return { code, out };
}

test('four histories on all cores, from a seed on', async () => {
  const { code, out } = await call('--chaos', '4', '--seed', '21');
  assert.match(out, /^\n4 histories \(seeds 21 to 24\), [1-9]\d* machines made: 0 ended badly/m);
  assert.equal(code, 0);
});

test('a wrong count or seed is wrong use; filters are no long form', async () => {
  for (const args of [['--chaos'], ['--chaos', '0'], ['--fuzz', 'many'], ['--races', '1', 'x', '2']])
    assert.equal((await call(...args)).code, 2, args.join(' '));
  assert.equal((await call('planner')).code, null);
});
