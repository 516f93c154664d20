/**
 * The main job on real Slurm with real nodes: jobs wait, nodes come, jobs run, nodes go; and what operators do to it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { labSkip, startLab, until } from './support/lab.ts';

const skip = labSkip();

test('jobs wait, nodes come with the shared files, run them, and go away again', {
  skip,
  timeout: 180_000,
}, async (t) => {
  const lab = await startLab(t, {
    name: 'e2elife',
    net: '10.81.1',
    portBase: 22100,
    settings: { CLEANUP_NODE_WAIT_TIME: 5, IDLE_NODE_WAIT_TIME: 5, POLL_INTERVAL: 1 },
  });
  await lab.start();
  await until(
    'the gate of all hosts is closed',
    async () =>
      (await lab.nodes()).every((node) => node.batch?.state === 'drained' || /DRAIN/.test(node.batch?.words ?? '')),
    30,
  );
  const marker = `${lab.dir}/node/shared/marker`;
  const result = (n: number) => `${lab.dir}/node/shared/results/${n}`;
  const ids: string[] = [];
  for (let n = 1; n <= 6; n++)
    ids.push(await lab.submit(`sleep 1; cat ${marker} >${result(n)} && uname -n >>${result(n)}`, '--exclusive'));
  const two = await lab.submit(`srun uname -n >${result(7)}`, '-N2', '--exclusive');
  const held = await lab.submit('true', '--hold');
  const never = await lab.submit('true', '-N9');
  await until(
    'all jobs that can run have run',
    async () => {
      const states = await Promise.all([...ids, two].map((id) => lab.jobState(id)));
      return states.every((state) => state === 'COMPLETED');
    },
    120,
  );
  assert.equal(await lab.jobState(held), 'PENDING');
  assert.equal(await lab.jobState(never), 'PENDING');
  const explained = await lab.hybrid('explain', never);
  assert.match(explained.out, /asks for more than the partition/);
  await lab.slurm('scancel', held, never);
  await until(
    'all nodes are gone',
    async () => (await lab.machines()).length === 0 && (await lab.nodes()).every((node) => node.state === 'free'),
    60,
  );
  const made = lab.account().filter((line) => line.what === 'create');
  assert.ok(made.length <= 4, `${made.length} machines were created for 4 hosts`);
  const nodes = await lab.slurm('scontrol', '-o', 'show', 'node');
  assert.equal(nodes.match(/Reason=hybrid-cloud:/g)?.length, 4, 'every absent host carries our mark');
});

test('a person’s own drain is never undone, and a held node never goes', { skip, timeout: 180_000 }, async (t) => {
  const lab = await startLab(t, {
    name: 'e2ehold',
    net: '10.81.2',
    portBase: 22110,
    settings: { CLEANUP_NODE_WAIT_TIME: 3, IDLE_NODE_WAIT_TIME: 3, POLL_INTERVAL: 1 },
  });
  await lab.slurm('scontrol', 'update', 'NodeName=c1', 'State=DRAIN', 'Reason=disk is being changed');
  await lab.start();
  const first = await lab.submit('sleep 4', '--exclusive');
  const second = await lab.submit('sleep 4', '--exclusive');
  await until(
    'both run',
    async () => (await lab.jobState(first)) === 'RUNNING' && (await lab.jobState(second)) === 'RUNNING',
    60,
  );
  const used = (await lab.nodes()).filter((node) => node.state === 'ready').map((node) => node.host);
  assert.deepEqual(used, ['c2', 'c3'], 'the drained host is not used');
  assert.equal((await lab.hybrid('hold', 'c2')).code, 0);
  await until(
    'the node that is not held goes',
    async () => (await lab.machines()).every((machine) => machine.hostname === 'c2'),
    60,
  );
  await sleep(5000);
  assert.deepEqual(
    (await lab.machines()).map((machine) => machine.hostname),
    ['c2'],
    'the held node stays',
  );
  assert.match(await lab.slurm('scontrol', '-o', 'show', 'node', 'c1'), /Reason=disk is being changed/);
  await lab.slurm('scontrol', 'update', 'NodeName=c2', 'State=DRAIN', 'Reason=looking at it');
  assert.equal((await lab.hybrid('release', 'c2')).code, 0);
  await sleep(6000);
  assert.match(await lab.slurm('scontrol', '-o', 'show', 'node', 'c2'), /Reason=looking at it/);
  assert.equal((await lab.machines()).length, 1, 'a node that a person closed is left alone');
  await lab.slurm('scontrol', 'update', 'NodeName=c2', 'State=RESUME');
  await until('opened again by the person, it goes as usual', async () => (await lab.machines()).length === 0, 60);
});

test('an operator drains a node: its job ends first; cleanup takes all', { skip, timeout: 180_000 }, async (t) => {
  const lab = await startLab(t, {
    name: 'e2eoper',
    net: '10.81.3',
    portBase: 22120,
    settings: { CLEANUP_NODE_WAIT_TIME: 600, IDLE_NODE_WAIT_TIME: 'never', POLL_INTERVAL: 1 },
  });
  await lab.start();
  const job = await lab.submit('sleep 8', '--exclusive');
  await until('it runs', async () => (await lab.jobState(job)) === 'RUNNING', 60);
  assert.equal((await lab.hybrid('drain', 'c1')).code, 0);
  await until('the machine is gone', async () => (await lab.machines()).length === 0, 60);
  assert.equal(await lab.jobState(job), 'COMPLETED');
  const again = await lab.submit('sleep 1', '--exclusive', '-w', 'c3');
  await until('a job that names its host has run', async () => (await lab.jobState(again)) === 'COMPLETED', 60);
  assert.deepEqual(
    (await lab.machines()).map((machine) => machine.hostname),
    ['c3'],
  );
  assert.equal((await lab.hybrid('cleanup', '--yes')).code, 0);
  await until('all machines are gone', async () => (await lab.machines()).length === 0, 60);
});

test('the shipped submit hook makes the service look at once', { skip, timeout: 120_000 }, async (t) => {
  const lab = await startLab(t, {
    name: 'e2ehook',
    net: '10.81.4',
    portBase: 22130,
    hook: true,
    settings: { POLL_INTERVAL: 300 },
  });
  await lab.start();
  await until(
    'the next look is far away',
    async () => ((await lab.status()).nextLookAt ?? 0) - Date.now() > 200_000,
    30,
  );
  const submitted = Date.now();
  await lab.submit('true', '--exclusive');
  await until('the cloud is asked', () => lab.account().some((line) => line.what === 'create'), 30);
  const asked = Math.min(...lab.account().map((line) => line.at)) - submitted;
  t.diagnostic(`submission to the create call: ${Math.round(asked)} ms`);
});
