/**
 * A job submitted at the moment its node is drained, on real Slurm, again and again; `./hybrid-cloud test --races 2000` is
 * the long form.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labSkip } from '../support/lab.ts';
import { races } from './races.ts';

test('races of submit and drain on real Slurm, while the service, slurmctld and parts of nodes fail: no job is lost', {
  skip: labSkip(),
  timeout: 280_000,
}, async (t) => {
  const result = await races(t, {
    ...{
      meetings: 60,
      most: 200,
      seed: 1,
      name: 'racet',
      net: '10.82.41',
      portBase: 22440,
      hosts: 4,
      trouble: 0.3,
      seconds: 30,
    },
    ...{ least: 5, patience: 80 },
  });
  t.diagnostic(JSON.stringify(result));
  assert.deepEqual([...result.lost, ...result.wrong], []);
  assert.equal(result.leasesTwice, 0);
  assert.ok(result.met >= 5, `${result.met} of ${result.races} races have met one of ${result.drains} drains`);
});
