// time limit: 900 s
/**
 * The Grid Engine adapter against a real sge_qmaster and real sge_execds in network namespaces. Needs root and the
 * gridengine packages; without them it is skipped with its reason, under CI=true that is a failure.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BatchWorld, batchContract } from '../src/batch/batch.contract.ts';
import { type Batch, MARK, type QueueStatus } from '../src/batch/batch.ts';
import { makeGridEngine } from '../src/batch/gridengine/gridengine.ts';
import { encodeNote, NOTE } from '../src/batch/gridengine/note.ts';
import { BatchError } from '../src/domain/errors.ts';
import { systemClock } from '../src/lib/clock.ts';
import { quietLog } from '../src/lib/log.ts';
import { type Run, run as realRun } from '../src/lib/run.ts';
import {
  type GridEngineWorld,
  makeGridEngineWorld,
  whyNoGridEngineWorld,
  worldLogs,
} from './support/gridengine-world.ts';

const why = whyNoGridEngineWorld();
if (why !== null && process.env.CI === 'true') {
  test('a real Grid Engine can be started here', () => assert.fail(why));
}

batchContract('Grid Engine', contractWorld, why ?? {});

async function contractWorld(): Promise<BatchWorld> {
  const world = await makeGridEngineWorld();
  const batch = adapter(world);
  return {
    batch,
    queue: world.queue,
    hosts: world.hosts,
    stranger: 'c9',
    submit: (job) => submit(world, job),
    finish: async (id) => {
      await world.command('qdel', id);
    },
    startNode: world.startNode,
    stopNode: world.stopNode,
    personDrain: (host, reason) => personDrain(world, host, reason),
    stopServer: world.stopServer,
    startServer: world.startServer,
    waitFor: (what, so) => waitFor(world, batch, what, so),
    dispose: world.dispose,
  };
}

const skip = why ?? false;

describe('on one Grid Engine', { skip }, () => {
  test('queues, shapes of jobs, users without rights, odd names', async (t) => {
    await using world = await makeGridEngineWorld({ hosts: 2 });
    const commands: string[] = [];
    const batch = adapter(world, (command, options) => {
      commands.push(command.slice(1).join(' '));
      return realRun(command, options);
    });
    const empty = (): Promise<QueueStatus> => waitFor(world, batch, 'empty', ({ jobs }) => jobs.length === 0);
    const askOf = async (id: string) => {
      const { jobs } = await waitFor(world, batch, 'looked at', (now) =>
        now.jobs.some((job) => job.id === id && job.submittedAt !== null),
      );
      return jobs.find((job) => job.id === id);
    };

    await t.test('the service starts: version and attribute', async () => {
      assert.match((await batch.checkVersion()).text, /^SGE 8\.1\.\d+$/);
    });

    await t.test('parallel environments become hosts', async () => {
      const shapes: [string[], number, number, number][] = [
        [['-pe', 'smp', '3'], 1, 3, 3],
        [['-pe', 'mpi', '6'], 2, 1, 6],
        [['-pe', 'rr', '2'], 1, 1, 2],
        [['-pe', 'node*', '2-8'], 1, 2, 2],
      ];
      for (const [words, nodes, cpusPerNode, cpus] of shapes) {
        const id = await submit(world, {}, ...words);
        const ask = (await askOf(id))?.ask;
        assert.deepEqual([ask?.nodes, ask?.cpusPerNode, ask?.cpus], [nodes, cpusPerNode, cpus], words.join(' '));
        await world.command('qdel', id);
      }
      const never = await submit(world, {}, '-pe', 'node4', '6');
      assert.match((await askOf(never))?.because ?? '', /never be had/);
      await world.command('qdel', never);
      await empty();
    });

    await t.test('a job for later, a job pinned to a host', async () => {
      const later = await submit(world, {}, '-a', '203001010000');
      assert.match((await askOf(later))?.because ?? '', /not start before 2030-01-01/);
      const pinned = await submit(world, {}, '-l', 'hostname=c2');
      assert.deepEqual((await askOf(pinned))?.ask.features, [['host c2']]);
      await world.command('qdel', later, pinned);
      await empty();
    });

    await t.test('jobs without a queue are ours as long as there is no other queue', async () => {
      const words = ['-o', '/dev/null', '-e', '/dev/null', '-wd', '/', '-b', 'y', 'sleep', '600'];
      const id = (await world.command('qsub', '-terse', ...words)).trim();
      assert.equal((await batch.getStatus('cloud', world.hosts)).jobs[0]?.id, id);
      await world.command('qdel', id);
      await empty();
    });

    await t.test('odd names stay names', async () => {
      const name = 'a<b>&c]]>;$x';
      const id = await submit(world, { name });
      const { jobs, unreadable } = await batch.getStatus('cloud', world.hosts);
      assert.deepEqual([jobs.map((job) => [job.id, job.name]), unreadable], [[[id, name]], []]);
      await world.command('qdel', id);
      await empty();
    });

    await t.test('an array of 5,000 tasks is one record with all of them', async () => {
      const id = await submit(world, {}, '-t', '2-10000:2', '-tc', '7');
      const { jobs, tally } = await waitFor(world, batch, 'looked at', (now) => now.jobs[0]?.taskLimit === 7);
      assert.deepEqual([jobs[0]?.array, jobs[0]?.tasks, tally], [id, 5000, { qw: 5000 }]);
      await world.command('qdel', id);
      await empty();
    });

    await t.test('two commands a reading, with 0, 1 and 50 jobs', async () => {
      const ids: string[] = [];
      for (const target of [0, 1, 50]) {
        while (ids.length < target) ids.push(await submit(world, {}));
        commands.length = 0;
        assert.equal((await batch.getStatus('cloud', world.hosts)).jobs.length, target);
        assert.ok(commands.length <= 2, commands.join('\n'));
      }
      await world.command('qdel', ...ids);
      await empty();
    });

    await t.test('a person’s own qmod -d, without a word, is left alone', async () => {
      await personDrain(world, 'c1', '');
      const [node] = (await batch.getStatus('cloud', ['c1'])).nodes;
      assert.deepEqual([node?.closed, node?.reason], ['theirs', '']);
      for (const outcome of [await batch.leaveCluster(['c1'], 'idle'), await batch.joinCluster(['c1'])]) {
        assert.equal(outcome[0]?.result, 'left-alone');
      }
      await personDrain(world, 'c1', null);
    });

    await t.test('a person who opens a host of ours and closes it later is not taken for us', async () => {
      await batch.leaveCluster(['c1'], 'no machine');
      await world.command('qmod', '-e', 'cloud@c1');
      assert.equal((await batch.getStatus('cloud', ['c1'])).nodes[0]?.closed, 'no');
      await world.command('qmod', '-d', 'cloud@c1');
      assert.equal((await batch.getStatus('cloud', ['c1'])).nodes[0]?.closed, 'theirs');
      await personDrain(world, 'c1', null);
    });

    await t.test('the note of a closed host is for people', async () => {
      await batch.leaveCluster(['c1'], 'empty for 10 min, cost = 0');
      const shown = await world.command('qconf', '-se', 'c1');
      assert.match(shown.replaceAll(/\\\n\s*/g, ''), /hybrid_cloud=hybrid-cloud: empty for 10 min%2C/);
      assert.equal((await batch.getStatus('cloud', ['c1'])).nodes[0]?.reason, `${MARK} empty for 10 min, cost = 0`);
    });

    await t.test('users without rights read everything, change nothing, and are told the line that helps', async () => {
      const nobody = adapter(world, realRun, 'setpriv', '--reuid=65534', '--regid=65534', '--clear-groups');
      await assert.rejects(nobody.leaveCluster(['c2'], 'test'), (error) => {
        assert.ok(error instanceof BatchError);
        assert.deepEqual([error.kind, /qconf -am USER/.test(error.hint)], ['permission', true], error.message);
        return true;
      });
      assert.equal((await nobody.getStatus('cloud', ['c2'])).nodes[0]?.closed, 'no');
    });

    await t.test('the line for the owner is in the context of the job', async () => {
      const id = await submit(world, { array: 3 });
      await waitFor(world, batch, 'there', ({ jobs }) => jobs.length === 1);
      await batch.tell?.(`${id}.1-3:1`, 'c1 is on its way, 1 of 2');
      assert.match(await world.command('qstat', '-j', id), /hybrid_cloud=hybrid-cloud: c1 is on its way; 1 of 2/);
      await world.command('qdel', id);
      await empty();
    });

    await t.test('without the attribute, the line to add is told, and nothing is closed', async () => {
      const complex = await world.command('qconf', '-sc');
      await world.command('qconf', '-dattr', 'exechost', 'complex_values', NOTE, 'c1', 'c2');
      const without = complex.split('\n').filter((line) => !line.startsWith(NOTE));
      await world.command(
        'sh',
        '-c',
        `printf '%s\\n' "$1" >${world.dir}/sc; exec qconf -Mc ${world.dir}/sc`,
        'sh',
        without.join('\n'),
      );
      await assert.rejects(batch.checkVersion(), { kind: 'refused', hint: /qconf -mc/ });
      const [outcome] = await batch.leaveCluster(['c2'], 'test');
      assert.equal(outcome?.result, 'failed');
      assert.match(outcome?.message ?? '', /qconf -mc, and add the line/);
      assert.equal((await batch.getStatus('cloud', ['c2'])).nodes[0]?.closed, 'no');
    });
  });

  test('a new daemon is told from one that was not missed yet, and a restart of the qmaster takes no job away', async () => {
    // 300 s is the default: nothing here may wait for it
    await using world = await makeGridEngineWorld({ hosts: 2, unheard: 300 });
    const batch = adapter(world);
    for (const host of world.hosts) await world.startNode(host);
    await waitFor(world, batch, 'idle', ({ nodes }) => nodes.every((node) => node.state === 'idle'));
    await world.stopNode('c1');
    const gone = (await batch.getStatus('cloud', ['c1'])).nodes[0];
    assert.equal(gone?.responding, true, 'not missed yet');
    await sleep(5000);
    const still = (await batch.getStatus('cloud', ['c1'])).nodes[0];
    assert.equal(still?.registration, gone?.registration, 'nobody reports');
    await world.startNode('c1');
    await waitFor(world, batch, 'the new one', ({ nodes }) => nodes[0]?.registration !== gone?.registration);

    await batch.leaveCluster(['c1'], 'not wanted');
    const id = await submit(world, {});
    await waitFor(world, batch, 'runs', ({ jobs }) => jobs[0]?.state === 'running');
    await world.stopServer();
    await assert.rejects(batch.getStatus('cloud', world.hosts), { kind: 'silent' });
    await world.startServer();
    await waitFor(world, batch, 'both are back', ({ nodes, jobs }) => {
      assert.deepEqual([jobs[0]?.state, nodes[1]?.hasJob], ['running', true]);
      // Two readings around the start may contradict each other: then the node is unreadable, and nobody touches it.
      if (nodes[0]?.state !== 'unknown') assert.equal(nodes[0]?.closed, 'ours', JSON.stringify(nodes[0]));
      return nodes.every((node) => node.responding);
    });
    await world.command('qdel', id);
  });
});

function adapter(world: GridEngineWorld, run: Run = realRun, ...prefix: string[]): Batch {
  const settings = { prefix: [...world.head, ...prefix], timeout: 15_000 };
  return makeGridEngine(settings, { run, clock: systemClock, log: quietLog });
}

interface Job {
  readonly nodes?: number;
  readonly cpus?: number;
  readonly memoryMiB?: number;
  readonly exclusive?: boolean;
  readonly hold?: boolean;
  readonly array?: number;
  readonly taskLimit?: number;
  readonly name?: string;
}

/** A job that sleeps until it is deleted. Memory is asked for per slot. */
async function submit(world: GridEngineWorld, job: Job, ...more: string[]): Promise<string> {
  const { nodes = 1, array, taskLimit } = job;
  const cpus = job.cpus ?? nodes;
  const perNode = cpus / nodes;
  const where = nodes > 1 ? ['-pe', `node${perNode}`, String(cpus)] : cpus > 1 ? ['-pe', 'smp', String(cpus)] : [];
  const words = [
    ...['-l', `mem=${(job.memoryMiB ?? 100) / perNode}M`],
    ...where,
    ...(job.exclusive ? ['-l', 'exclusive=1'] : []),
    ...(job.hold ? ['-h'] : []),
    ...(array === undefined ? [] : ['-t', `1-${array}`]),
    ...(taskLimit === undefined ? [] : ['-tc', String(taskLimit)]),
    ...(job.name === undefined ? [] : ['-N', job.name]),
    ...more,
  ];
  const quiet = ['-o', '/dev/null', '-e', '/dev/null', '-wd', '/'];
  const answer = await world.command('qsub', '-terse', '-q', 'cloud', ...quiet, ...words, '-b', 'y', 'sleep', '600');
  return answer.trim().split('.')[0] ?? '';
}

/** A person closes a host with a note, or without one, or opens it again. */
async function personDrain(world: GridEngineWorld, host: string, reason: string | null): Promise<void> {
  if (reason === null) {
    await world.command('qmod', '-e', `cloud@${host}`);
    await world.command('qconf', '-dattr', 'exechost', 'complex_values', NOTE, host);
    return;
  }
  await world.command('qmod', '-d', `cloud@${host}`);
  const note = `${NOTE}=${encodeNote(reason)}`;
  if (reason !== '') await world.command('qconf', '-mattr', 'exechost', 'complex_values', note, host);
}

async function waitFor(
  world: GridEngineWorld,
  batch: Batch,
  what: string,
  so: (status: QueueStatus) => boolean,
): Promise<QueueStatus> {
  // a daemon that comes back before its old connection was missed is let in after a minute
  const end = performance.now() + 100_000;
  for (;;) {
    const status = await batch.getStatus(world.queue, world.hosts);
    if (so(status)) return status;
    if (performance.now() > end) {
      assert.fail(`${what}: not within 100 s\n${JSON.stringify(status)}\n${await worldLogs(world)}`);
    }
    await sleep(150);
  }
}
