// time limit: 400 s
/**
 * `./hybrid-cloud lab --batch gridengine`: the same sample as on Slurm, on a real Grid Engine, and nothing left behind.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyNoGridEngineWorld } from './support/gridengine-world.ts';
import { lab, leftovers } from './support/lab-run.ts';

const why = whyNoGridEngineWorld();
const skip = process.env.CI === 'true' || why === null ? false : why;

test('lab --batch gridengine --once runs its sample to the end and leaves nothing behind', {
  skip,
  timeout: 280_000,
}, async () => {
  const run = lab('hcge7', '10.84.7', 24070, '--batch', 'gridengine', '--once', '--json');
  assert.equal(await run.ended, 0, run.err());
  const report = JSON.parse(run.out()) as {
    ok: boolean;
    jobs: { name: string; hosts: string[] }[];
    nodes: unknown[];
    checks: { ok: boolean }[];
  };
  assert.deepEqual(
    report.checks.filter((check) => !check.ok),
    [],
  );
  assert.equal(report.ok, true);
  assert.equal(new Set(report.jobs.find(({ name }) => name === 'two-nodes')?.hosts).size, 2);
  assert.equal(report.nodes.length, 4);
  assert.deepEqual(leftovers('hcge7'), []);
});

test('lab --batch gridengine up says how to use it, and lab down takes it away', {
  skip,
  timeout: 120_000,
}, async () => {
  const up = lab('hcge8', '10.84.8', 24080, '--batch', 'gridengine', 'up');
  try {
    assert.equal(await up.ended, 0, up.err());
    assert.match(up.out(), /gridengine\/head qsub -q cloud/);
    assert.notDeepEqual(leftovers('hcge8'), []);
  } finally {
    // without --batch: the lab knows what it is
    assert.equal(await lab('hcge8', '10.84.8', 24080, 'down').ended, 0);
  }
  assert.deepEqual(leftovers('hcge8'), []);
});
