// time limit: 600 s
/**
 * Trouble on real Slurm: the service is killed at every stage, the cloud fails, nodes come up wrong. Nothing is lost.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { labSkip, leases, startLab, states, until } from './support/lab.ts';

const skip = labSkip();

test('kill -9 at every stage, and a restart: no second machine for a lease, none forgotten', {
  skip,
  timeout: 300_000,
}, async (t) => {
  const lab = await startLab(t, {
    name: 'e2ekill',
    net: '10.82.2',
    portBase: 22210,
    bootTime: 2,
    settings: { CLEANUP_NODE_WAIT_TIME: 6, IDLE_NODE_WAIT_TIME: 6, POLL_INTERVAL: 1 },
  });
  const killAt = async (state: string, seconds = 60) => {
    await until(`a host is ${state}`, async () => (await states(lab)).includes(state), seconds);
    await service.kill();
    service = await lab.start();
  };
  let service = await lab.start();
  const first = await lab.submit('sleep 3', '--exclusive');
  const second = await lab.submit('sleep 3', '--exclusive');
  await killAt('starting');
  await killAt('preparing');
  await until(
    'both have run',
    async () => (await lab.jobState(first)) === 'COMPLETED' && (await lab.jobState(second)) === 'COMPLETED',
    90,
  );
  await until('a node is idle', async () => (await lab.nodes()).some((node) => node.idleSince !== null), 30);
  const before = (await lab.nodes()).find((node) => node.idleSince !== null);
  await service.kill();
  service = await lab.start();
  await until(
    'the idle clock goes on',
    async () => {
      const after = (await lab.nodes()).find((node) => node.host === before?.host);
      return after !== undefined && (after.state !== 'ready' || after.idleSince === before?.idleSince);
    },
    20,
  );
  await killAt('draining');
  await killAt('stopping');
  await until('all machines are gone', async () => (await lab.machines()).length === 0, 90);
  await until('all hosts are free', async () => (await states(lab)).every((state) => state === 'free'), 60);
  const made = leases(lab);
  assert.equal(new Set(made).size, made.length, `a lease made two machines: ${made.join(' ')}`);
  assert.equal(made.length, 2, 'two jobs, two machines');
});

test('SIGTERM ends it within 5 s, also with calls under way, and a second daemon is refused', {
  skip,
  timeout: 180_000,
}, async (t) => {
  const lab = await startLab(t, { name: 'e2eterm', net: '10.82.3', portBase: 22220, settings: { POLL_INTERVAL: 1 } });
  const service = await lab.start();
  const other = await lab.hybrid('run');
  assert.equal(other.code, 1);
  assert.match(other.err, new RegExp(`another hybrid-cloud \\(pid ${service.pid}\\)`));
  lab.fault('create-hang', '30');
  await lab.submit('true', '--exclusive');
  await until('a create hangs', async () => (await states(lab)).includes('starting'), 30);
  const { took, code } = await service.stop();
  assert.equal(code, 0);
  assert.ok(took < 5000, `it took ${Math.round(took)} ms`);
  lab.heal('create-hang');
  await lab.start();
  await until('the next start mends it', async () => (await lab.nodes()).some((node) => node.state === 'ready'), 60);
  assert.equal(new Set(leases(lab)).size, 1);
});

test('a damaged database is set aside; running nodes and their jobs are found again', {
  skip,
  timeout: 180_000,
}, async (t) => {
  const lab = await startLab(t, {
    name: 'e2edmg',
    net: '10.82.4',
    portBase: 22230,
    settings: { CLEANUP_NODE_WAIT_TIME: 5, IDLE_NODE_WAIT_TIME: 5, POLL_INTERVAL: 1 },
  });
  const service = await lab.start();
  const job = await lab.submit('sleep 12', '--exclusive');
  await until('it runs', async () => (await lab.jobState(job)) === 'RUNNING', 60);
  await service.kill();
  for (const tail of ['', '-wal', '-shm'])
    writeFileSync(join(lab.dir, `state/state.db${tail}`), 'rubbish '.repeat(1000));
  const next = await lab.start();
  await until('the node is ready again in the records', async () => (await states(lab))[0] === 'ready', 30);
  assert.match(next.log(), /the database was damaged: set aside as/);
  await until('the job ends well', async () => (await lab.jobState(job)) === 'COMPLETED', 60);
  await until('its node goes', async () => (await lab.machines()).length === 0, 60);
  assert.equal(leases(lab).length, 1);
});

test('a cloud that fails: refusals pause creation, lost answers make no second machine, half a batch is half', {
  skip,
  timeout: 300_000,
}, async (t) => {
  const lab = await startLab(t, {
    name: 'e2ecloud',
    net: '10.82.5',
    portBase: 22240,
    settings: { POLL_INTERVAL: 1, CLEANUP_NODE_WAIT_TIME: 3, IDLE_NODE_WAIT_TIME: 3 },
  });
  await lab.start();
  lab.fault('create-error', 'quota');
  const job = await lab.submit('true', '--exclusive');
  await until('creation is paused', async () => (await lab.status()).brake?.kind === 'quota', 30);
  assert.equal((await lab.machines()).length, 0);
  const events = (await lab.events()).map((event) => event.text).join('\n');
  assert.match(events, /c1 was not created \(quota\)/);
  assert.match(events, /creation of nodes is paused .*quota/);
  const calls = lab.account().length;
  await sleep(4000);
  assert.equal(lab.account().length, calls, 'no further create while it is paused');
  lab.heal('create-error');

  lab.fault('create-lost', 'once');
  await lab.hybrid('release');
  await until('the job has run all the same', async () => (await lab.jobState(job)) === 'COMPLETED', 90);
  assert.equal(new Set(leases(lab)).size, leases(lab).length);
  await until('its node goes', async () => (await lab.machines()).length === 0, 60);

  lab.fault('create-error', 'capacity c2');
  const both = [await lab.submit('sleep 2', '--exclusive'), await lab.submit('sleep 2', '--exclusive')];
  await until(
    'half of the batch comes and serves both jobs in turn',
    async () => (await Promise.all(both.map((id) => lab.jobState(id)))).every((s) => s === 'COMPLETED'),
    120,
  );
  lab.heal('create-error');

  lab.fault('list-garbled', '');
  await until(
    'a garbled list stops everything, and it is said',
    async () => /the cloud does not answer/.test((await lab.status()).summary),
    30,
  );
  lab.heal('list-garbled');
  await until('it goes on', async () => (await lab.status()).cloud.ok, 30);
  await until('all machines are gone in the end', async () => (await lab.machines()).length === 0, 90);
});

test('nodes that come up wrong never join: wrong name, no sshd, no slurmd', { skip, timeout: 300_000 }, async (t) => {
  const lab = await startLab(t, {
    name: 'e2ewrong',
    net: '10.82.6',
    portBase: 22250,
    settings: { POLL_INTERVAL: 1, PREPARE_TIMEOUT: 12, JOIN_TIMEOUT: 8, MAX_NODES: 1 },
  });
  await lab.start();
  lab.fault('wrong-hostname', 'c1 once');
  const job = await lab.submit('true', '--exclusive');
  const told = async (pattern: RegExp) => (await lab.events()).some((event) => pattern.test(event.text));
  await until(
    'the wrong name is noticed',
    () => told(/c1: preparing -> stopping: could not be prepared: .*calls itself localhost/),
    60,
  );
  lab.fault('no-slurmd', 'c2 once');
  await until('the missing daemon is noticed', () => told(/c2: joining -> stopping: its daemon did not register/), 90);
  lab.fault('no-sshd', 'c3 once');
  await until('the missing sshd is noticed', () => told(/c3: preparing -> stopping: could not be prepared/), 90);
  await until('after three failures the breaker is open', async () => (await lab.status()).brake?.kind === 'boot', 30);
  assert.equal(await lab.jobState(job), 'PENDING');
  await lab.hybrid('release');
  await until('a good node serves the job in the end', async () => (await lab.jobState(job)) === 'COMPLETED', 90);
});
