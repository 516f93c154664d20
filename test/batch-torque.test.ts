// time limit: 300 s
/**
 * The Torque adapter against a stand-in built from recorded output: the contract, and what only Torque does.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { batchContract, type WorldJob } from '../src/batch/batch.contract.ts';
import { type Batch, MARK } from '../src/batch/batch.ts';
import { makeTorque } from '../src/batch/torque/torque.ts';
import { BatchError } from '../src/domain/errors.ts';
import { systemClock } from '../src/lib/clock.ts';
import { quietLog } from '../src/lib/log.ts';
import type { Run } from '../src/lib/run.ts';
import { contractWorld, makeStandIn, type StandInWorld, waitFor } from './support/pbs-stand-in/world.ts';

const adapter = (run: Run, nodeMemory = 1000): Batch =>
  makeTorque({ prefix: [], timeout: 20_000, nodeMemory }, { run, clock: systemClock, log: quietLog });

batchContract('Torque (stand-in)', async () => {
  const world = makeStandIn('torque');
  return contractWorld(world, adapter(world.run), qsub, (host, reason) =>
    reason === null ? ['pbsnodes', '-c', '-N', '', host] : ['pbsnodes', '-o', '-N', reason, host],
  );
});

function qsub(job: WorldJob): string[] {
  const nodes = job.nodes ?? 1;
  const ppn = Math.ceil((job.cpus ?? nodes) / nodes);
  const list = `nodes=${nodes}:ppn=${ppn}${job.exclusive ? '#excl' : ''},mem=${(job.memoryMiB ?? 100) * nodes}mb`;
  const words = ['qsub', '-q', 'cloud', '-l', list];
  if (job.name !== undefined) words.push('-N', job.name);
  if (job.hold) words.push('-h');
  if (job.array !== undefined)
    words.push('-t', `1-${job.array}${job.taskLimit === undefined ? '' : `%${job.taskLimit}`}`);
  return words;
}

describe('what only Torque does (stand-in)', () => {
  test('a node that was opened is down until its mom reports; it counts as it was, and the scheduler is told once', async () => {
    using world = makeStandIn('torque', 1);
    const batch = adapter(world.run);
    await joined(world, batch);
    world.change((cluster) => {
      cluster.report = 3000;
    });
    await batch.leaveCluster(['c1'], 'for a moment');
    const id = (await world.command(...qsub({}))).trim();
    assert.equal((await batch.joinCluster(['c1']))[0]?.result, 'done');
    const { nodes } = await batch.getStatus('cloud', ['c1']);
    assert.match(nodes[0]?.words ?? '', /^down .*reports soon/);
    assert.deepEqual([nodes[0]?.state, nodes[0]?.responding, nodes[0]?.closed], ['idle', true, 'no']);
    const nudged = world.read().nudged;
    await waitFor(batch, ['c1'], 'runs', ({ jobs }) => jobs.some((job) => job.id === id && job.state === 'running'));
    await batch.getStatus('cloud', ['c1']);
    assert.ok(world.read().nudged <= nudged + 1);
  });

  test('a node that was opened and dies for good is down after a while', async () => {
    using world = makeStandIn('torque', 1);
    let at = 0;
    const clock = { ...systemClock, monotonic: () => at };
    const batch = makeTorque({ prefix: [], timeout: 20_000, nodeMemory: 0 }, { run: world.run, clock, log: quietLog });
    await joined(world, batch);
    world.change((cluster) => {
      for (const node of cluster.nodes) node.mom = false;
      cluster.missed = 0;
    });
    const state = async () => (await batch.getStatus('cloud', ['c1'])).nodes[0]?.state;
    at += 100_000;
    assert.equal(await state(), 'down');
  });

  test('without rights nothing is changed, and the error names the line for qmgr', async () => {
    using world = makeStandIn('torque', 2);
    const batch = adapter(world.runAsUser);
    await assert.rejects(batch.leaveCluster(['c1', 'c2'], 'test'), (error) => {
      assert.ok(error instanceof BatchError);
      assert.equal(error.kind, 'permission');
      assert.match(error.message, /Unauthorized Request/);
      assert.match(error.hint, /qmgr -c "set server operators \+= hybrid-cloud@HOST"/);
      return true;
    });
    assert.equal((await batch.getStatus('cloud', ['c1'])).nodes[0]?.closed, 'no');
  });

  test('a user who may not see the jobs of others is told so, not that the queue is empty', async () => {
    using world = makeStandIn('torque', 1);
    world.change((cluster) => {
      cluster.queryOtherJobs = false;
    });
    const batch = adapter(world.runAsUser);
    assert.deepEqual((await batch.getStatus('cloud', ['c1'])).jobs, []);
    await world.command(...qsub({}));
    const other = adapter(world.runAsUser);
    await assert.rejects(other.getStatus('cloud', ['c1']), (error) => {
      assert.ok(error instanceof BatchError && error.kind === 'permission');
      assert.match(error.hint, /query_other_jobs = True/);
      return true;
    });
  });

  test('two commands a reading, with 0, 1 and 50 jobs; an empty list is checked once a minute', async () => {
    using world = makeStandIn('torque', 2);
    const batch = adapter(world.run);
    await batch.getStatus('cloud', world.hosts);
    assert.equal(world.commands.length, 3, world.commands.join('\n'));
    let submitted = 0;
    for (const target of [0, 1, 50]) {
      if (target > submitted)
        await world.command('qsub', '-q', 'cloud', '-l', 'nodes=1', '-t', `1-${target - submitted}`);
      submitted = target;
      world.commands.length = 0;
      const { tally } = await batch.getStatus('cloud', world.hosts);
      assert.equal(
        Object.values(tally).reduce((sum, n) => sum + n, 0),
        target,
      );
      assert.deepEqual(world.commands, ['pbsnodes -x', 'qstat -t -x cloud']);
    }
  });

  test('our mark that a person left on an opened node is taken off, so that the next drain is not taken for ours', async () => {
    using world = makeStandIn('torque', 1);
    const batch = adapter(world.run);
    await joined(world, batch);
    await batch.leaveCluster(['c1'], 'not wanted');
    await world.command('pbsnodes', '-c', 'c1');
    await waitFor(batch, ['c1'], 'is back', ({ nodes }) => nodes[0]?.state === 'idle');
    assert.ok((await batch.getStatus('cloud', ['c1'])).nodes[0]?.reason.startsWith(MARK));
    assert.equal((await batch.joinCluster(['c1']))[0]?.result, 'done');
    assert.equal((await batch.getStatus('cloud', ['c1'])).nodes[0]?.reason, '');
  });

  test('a name with XML in it stays a name', async () => {
    using world = makeStandIn('torque', 1);
    const batch = adapter(world.run);
    const name = 'x]]></Job_Name><job_state>R</job_state>&amp;';
    await world.command(...qsub({ name }));
    const { jobs, unreadable } = await batch.getStatus('cloud', ['c1']);
    assert.deepEqual([jobs.map((job) => [job.name, job.state]), unreadable], [[[name, 'waiting']], []]);
  });
});

async function joined(world: StandInWorld, batch: Batch): Promise<void> {
  world.change((cluster) => {
    for (const node of cluster.nodes) node.mom = true;
  });
  await batch.leaveCluster(world.hosts, 'no machine');
  await waitFor(batch, world.hosts, 'registered', ({ nodes }) => nodes.every((node) => node.responding));
  await batch.joinCluster(world.hosts);
  await waitFor(batch, world.hosts, 'idle', ({ nodes }) =>
    nodes.every((node) => node.state === 'idle' && node.words === 'free'),
  );
}
