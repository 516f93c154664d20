/**
 * `./hybrid-cloud lab`: the main job on one machine, and nothing left behind, however it ends.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labSkip, until } from './support/lab.ts';
import { lab, leftovers } from './support/lab-run.ts';

const skip = labSkip();
test('lab --once runs its sample to the end, says what happened, and leaves nothing behind', {
  skip,
  timeout: 280_000,
}, async () => {
  const run = lab('tonce', '10.88.1', 22500, '--once', '--json');
  assert.equal(await run.ended, 0, run.err());
  const report = JSON.parse(run.out()) as {
    ok: boolean;
    jobs: unknown[];
    nodes: unknown[];
    checks: { ok: boolean; text: string }[];
  };
  assert.equal(report.ok, true);
  assert.ok(report.jobs.length >= 8, `${report.jobs.length} jobs`);
  assert.equal(report.nodes.length, 4);
  assert.deepEqual(
    report.checks.filter((check) => !check.ok),
    [],
  );
  assert.deepEqual(leftovers('tonce'), []);
});

test('Ctrl-C in the middle takes everything down', { skip, timeout: 120_000 }, async () => {
  const run = lab('tctrlc', '10.88.2', 22510, '--once');
  await until('a node is ready', () => /c1 ready/.test(run.err()), 90);
  run.kill('SIGINT');
  assert.equal(await run.ended, 130, run.err());
  assert.deepEqual(leftovers('tctrlc'), []);
});

test('after kill -9 `lab down` takes everything down', { skip, timeout: 120_000 }, async () => {
  const run = lab('tkill', '10.88.3', 22520, '--once');
  await until('a node is ready', () => /c1 ready/.test(run.err()), 90);
  run.kill('SIGKILL');
  await run.ended;
  assert.notDeepEqual(leftovers('tkill'), []);
  assert.equal(await lab('tkill', '10.88.3', 22520, 'down').ended, 0);
  assert.deepEqual(leftovers('tkill'), []);
});
