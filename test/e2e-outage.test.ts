/**
 * The scheduler stops while jobs run: the specification's own scripts read that as "idle" and delete everything.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { labSkip, leases, startLab, states, until } from './support/lab.ts';

const skip = labSkip();

test('slurmctld is away for 90 s while jobs run: nothing is drained or deleted, and it is said why', {
  skip,
  timeout: 300_000,
}, async (t) => {
  const lab = await startLab(t, {
    name: 'e2eaway',
    net: '10.82.1',
    portBase: 22200,
    settings: { CLEANUP_NODE_WAIT_TIME: 4, IDLE_NODE_WAIT_TIME: 4, POLL_INTERVAL: 1 },
  });
  await lab.start();
  const jobs = [await lab.submit('sleep 100', '--exclusive'), await lab.submit('sleep 100', '--exclusive')];
  await until(
    'both run',
    async () => (await Promise.all(jobs.map((id) => lab.jobState(id)))).every((s) => s === 'RUNNING'),
    60,
  );
  await lab.slurmctld('stop');
  const end = performance.now() + 90_000;
  await until('status says that the batch system does not answer', async () => !(await lab.status()).batch.ok, 60);
  assert.match((await lab.status()).summary, /^nothing changed because the batch system does not answer/);
  while (performance.now() < end) {
    assert.equal((await lab.machines()).length, 2);
    assert.deepEqual((await states(lab)).slice(0, 2), ['ready', 'ready']);
    await sleep(3000);
  }
  await lab.slurmctld('start');
  await until('it answers again', async () => (await lab.status()).batch.ok, 60);
  await until(
    'both jobs end well',
    async () => (await Promise.all(jobs.map((id) => lab.jobState(id)))).every((s) => s === 'COMPLETED'),
    120,
  );
  await until('then all goes on: the nodes go', async () => (await lab.machines()).length === 0, 60);
  assert.equal(leases(lab).length, 2, 'no machine was created in place of one that was only out of sight');
});
