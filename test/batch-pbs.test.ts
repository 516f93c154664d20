// time limit: 300 s
/**
 * The PBS adapter against a stand-in built from recorded output: the contract, and what only PBS does.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { batchContract, type WorldJob } from '../src/batch/batch.contract.ts';
import type { Batch } from '../src/batch/batch.ts';
import { makePbs } from '../src/batch/pbs/pbs.ts';
import { makeTorque } from '../src/batch/torque/torque.ts';
import { BatchError } from '../src/domain/errors.ts';
import { systemClock } from '../src/lib/clock.ts';
import { quietLog } from '../src/lib/log.ts';
import type { Run } from '../src/lib/run.ts';
import { contractWorld, makeStandIn, waitFor } from './support/pbs-stand-in/world.ts';

const adapter = (run: Run): Batch =>
  makePbs({ prefix: [], timeout: 20_000, nodeMemory: 0 }, { run, clock: systemClock, log: quietLog });

batchContract('PBS (stand-in)', async () => {
  const world = makeStandIn('pbs');
  return contractWorld(world, adapter(world.run), qsub, (host, reason) =>
    reason === null ? ['pbsnodes', '-C', '', '-r', host] : ['pbsnodes', '-C', reason, '-o', host],
  );
});

function qsub(job: WorldJob): string[] {
  const nodes = job.nodes ?? 1;
  const cpus = Math.ceil((job.cpus ?? nodes) / nodes);
  const select = `select=${nodes}:ncpus=${cpus}:mem=${job.memoryMiB ?? 100}mb`;
  const words = ['qsub', '-q', 'cloud', '-l', select, '-l', `place=scatter${job.exclusive ? ':excl' : ''}`];
  if (job.name !== undefined) words.push('-N', job.name);
  if (job.hold) words.push('-h');
  if (job.array !== undefined) {
    words.push('-J', `1-${job.array}${job.taskLimit === undefined ? '' : `%${job.taskLimit}`}`);
  }
  return words;
}

describe('what only PBS does (stand-in)', () => {
  test('the scheduler is told of a node that joins while jobs wait, and not when a person switched it off', async () => {
    using world = makeStandIn('pbs', 1);
    const batch = adapter(world.run);
    world.change((cluster) => {
      for (const node of cluster.nodes) node.mom = true;
    });
    await batch.leaveCluster(['c1'], 'no machine');
    await world.command(...qsub({ nodes: 1 }));
    await waitFor(batch, ['c1'], 'registered', ({ nodes }) => nodes[0]?.responding === true);
    assert.equal((await batch.joinCluster(['c1']))[0]?.result, 'done');
    assert.equal(world.read().nudged, 1);
    await batch.leaveCluster(['c1'], 'again');
    world.change((cluster) => {
      cluster.scheduling = false;
    });
    await batch.joinCluster(['c1']);
    assert.deepEqual([world.read().nudged, world.read().scheduling], [1, false]);
  });

  test('without rights nothing is changed, and the error names the line for qmgr', async () => {
    using world = makeStandIn('pbs', 2);
    const batch = adapter(world.runAsUser);
    await assert.rejects(batch.leaveCluster(['c1', 'c2'], 'test'), (error) => {
      assert.ok(error instanceof BatchError);
      assert.equal(error.kind, 'permission');
      assert.match(error.hint, /qmgr -c "set server operators \+= hybrid-cloud@HOST"/);
      return true;
    });
    assert.equal((await batch.getStatus('cloud', ['c1'])).nodes[0]?.closed, 'no');
  });

  test('two commands a reading, with 0, 1 and 50 jobs; an empty list is checked once a minute', async () => {
    using world = makeStandIn('pbs', 2);
    const batch = adapter(world.run);
    await batch.getStatus('cloud', world.hosts);
    assert.equal(world.commands.length, 3, world.commands.join('\n'));
    let submitted = 0;
    for (const target of [0, 1, 50]) {
      if (target - submitted > 1) await world.command('qsub', '-q', 'cloud', '-J', `1-${target - submitted}`);
      else if (target > submitted) await world.command('qsub', '-q', 'cloud');
      submitted = target;
      world.commands.length = 0;
      const { tally } = await batch.getStatus('cloud', world.hosts);
      assert.deepEqual(tally, target === 0 ? {} : { Q: target });
      assert.deepEqual(world.commands, ['pbsnodes -av -F json', 'qstat -f -t -F json']);
    }
  });

  test('jobs of other queues are none of ours, whatever they are called', async () => {
    using world = makeStandIn('pbs', 1);
    const batch = adapter(world.run);
    await world.command('qsub', '-q', 'batch', '-N', '007');
    const id = (await world.command('qsub', '-q', 'cloud', '-N', '123')).trim();
    const { jobs } = await batch.getStatus('cloud', ['c1']);
    assert.deepEqual(
      jobs.map((job) => [job.id, job.name]),
      [[id, '123']],
    );
  });
});

test('each family refuses the commands of the other by name', async () => {
  for (const [installed, wanted, says, hint] of [
    ['pbs', makeTorque, /PBS/, 'set BATCH_SYSTEM=pbs'],
    ['torque', makePbs, /Torque/, 'set BATCH_SYSTEM=torque'],
  ] as const) {
    using world = makeStandIn(installed, 1);
    const batch = wanted(
      { prefix: [], timeout: 20_000, nodeMemory: 0 },
      { run: world.run, clock: systemClock, log: quietLog },
    );
    await assert.rejects(batch.checkVersion(), (error) => {
      assert.ok(error instanceof BatchError);
      assert.deepEqual([error.kind, error.hint], ['version', hint]);
      assert.match(error.message, says);
      return true;
    });
    await assert.rejects(batch.getStatus('cloud', ['c1']), (error) => error instanceof BatchError);
  }
});
