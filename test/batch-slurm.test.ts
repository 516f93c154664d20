// time limit: 600 s
/**
 * The Slurm adapter against a real slurmctld and real slurmds in network namespaces. Needs root and Slurm; without them
 * it is skipped with its reason, under CI=true that is a failure.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BatchWorld, batchContract } from '../src/batch/batch.contract.ts';
import { type Batch, MARK, type QueueStatus } from '../src/batch/batch.ts';
import { makeSlurm } from '../src/batch/slurm/slurm.ts';
import { BatchError } from '../src/domain/errors.ts';
import { systemClock } from '../src/lib/clock.ts';
import { oneLine, quietLog } from '../src/lib/log.ts';
import type { Run } from '../src/lib/run.ts';
import { makeSlurmWorld, type SlurmWorld, until, whyNoSlurmWorld, worldLogs } from './support/slurm-world.ts';

const why = whyNoSlurmWorld();
if (why !== null && process.env.CI === 'true') {
  test('a real Slurm can be started here', () => assert.fail(why));
}
const skip = why ?? false;

batchContract('Slurm', contractWorld, why ?? {});

async function contractWorld(): Promise<BatchWorld> {
  const world = await makeSlurmWorld({ slurmdTimeout: 5 });
  const batch = adapter(world);
  return {
    batch,
    queue: world.queue,
    hosts: world.hosts,
    stranger: 'c9',
    submit: (job) => submit(world, job),
    finish: async (id) => {
      await world.command('scancel', id);
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

for (const returnToService of [0, 1, 2] as const) {
  test(`with ReturnToService=${returnToService} a node takes a job within 2 s of joining, in its first and in its second life`, {
    skip,
  }, async () => {
    // SlurmdTimeout 300 is the default: pings come every 100 s, so nothing here may depend on them
    await using world = await makeSlurmWorld({ hosts: 1, returnToService, slurmdTimeout: 300 });
    const batch = adapter(world);
    await batch.leaveCluster(['c1'], 'no machine');
    for (const life of [1, 2]) {
      const before = (await batch.getStatus('cloud', ['c1'])).nodes[0]?.registration;
      const id = await submit(world, {});
      await world.startNode('c1');
      await waitFor(world, batch, 'registered', ({ nodes }) => {
        const [node] = nodes;
        return node?.responding === true && node.registration !== before;
      });
      assert.equal((await batch.joinCluster(['c1']))[0]?.result, 'done');
      const start = performance.now();
      await waitFor(world, batch, 'runs', ({ jobs }) => jobs.some((job) => job.id === id && job.state === 'running'));
      const took = performance.now() - start;
      assert.ok(took < 2000, `life ${life}: the job started ${Math.round(took)} ms after joining`);
      await world.command('scancel', id);
      await waitFor(world, batch, 'idle', ({ nodes }) => nodes[0]?.state === 'idle');
      await batch.leaveCluster(['c1'], 'not wanted');
      await world.stopNode('c1');
      // as slurmctld does by itself after SlurmdTimeout; it keeps our reason
      await world.command('scontrol', 'update', 'NodeName=c1', 'State=DOWN', `Reason=${MARK} not wanted`);
      assert.equal((await batch.getStatus('cloud', ['c1'])).nodes[0]?.words.includes('DOWN'), true);
    }
  });
}

describe('on one Slurm with a second partition and a node outside', { skip }, () => {
  test('queues, small nodes, users without rights and hostile names', async (t) => {
    await using world = await makeSlurmWorld({
      hosts: 2,
      more: [
        'NodeName=x1 NodeAddr=10.78.0.98 CPUs=8 RealMemory=1000 State=UNKNOWN',
        'PartitionName=far Nodes=x1 State=UP',
        'PartitionName=a_queue_with_a_very_long_name Nodes=x1,c1 State=UP',
        'Licenses=matlab:1',
      ],
    });
    const commands: string[] = [];
    const batch = adapter(world, (command, options) => {
      commands.push(command.join(' '));
      return world.run(command, options);
    });
    await batch.checkVersion();

    await t.test('who may not change nodes is told so by a real slurmctld, and nothing was changed', async () => {
      const nobody = adapter(world, (command, options) =>
        world.run(['setpriv', '--reuid=65534', '--clear-groups', ...command], options),
      );
      await assert.rejects(nobody.checkVersion(), { kind: 'permission' });
      assert.equal((await batch.getStatus('cloud', ['c1'])).nodes[0]?.closed, 'no');
    });

    await t.test('a queue without any host of ours is there all the same, and the hosts are not in it', async () => {
      const status = await batch.getStatus('far', ['c1', 'c2']);
      assert.deepEqual(
        status.nodes.map((node) => [node.host, node.inQueue]),
        [
          ['c1', false],
          ['c2', false],
        ],
      );
    });

    await t.test('jobs of several partitions count in each, whatever their length', async () => {
      const id = await submit(world, {}, '--partition=a_queue_with_a_very_long_name,cloud');
      for (const queue of ['cloud', 'a_queue_with_a_very_long_name']) {
        const { tally } = await batch.getStatus(queue, ['c1', 'c2']);
        assert.deepEqual(tally, { PD: 1 }, queue);
      }
      assert.deepEqual((await batch.getStatus('far', ['c1'])).tally, {});
      await world.command('scancel', id);
      await waitFor(world, batch, 'empty', ({ jobs }) => jobs.length === 0);
    });

    await t.test('a job name cannot forge a record', async () => {
      const name = 'x\n1_s0_1_s0_1_s0_\nNodeName=c1 State=IDLE|%i "\u001b[2J';
      const id = await submit(world, { name });
      const { jobs, unreadable } = await batch.getStatus('cloud', ['c1']);
      assert.deepEqual([jobs.map((job) => job.id), unreadable], [[id], []]);
      assert.equal(jobs[0]?.name, oneLine(name));
      await world.command('scancel', id);
      await waitFor(world, batch, 'empty', ({ jobs: left }) => left.length === 0);
    });

    await t.test('an array of 100,000 tasks is one record with all of them', async () => {
      const id = await submit(world, {}, '--array=0-199998:2%7');
      const { jobs, tally } = await batch.getStatus('cloud', ['c1']);
      assert.deepEqual([jobs[0]?.tasks, jobs[0]?.taskLimit, tally], [100_000, 7, { PD: 100_000 }]);
      await world.command('scancel', id);
      await waitFor(world, batch, 'empty', ({ jobs: left }) => left.length === 0);
    });

    await t.test('memory per CPU, whole-node memory and tasks of several CPUs are understood', async () => {
      const ids = [
        await submit(world, { memoryMiB: null }, '--ntasks=2', '--cpus-per-task=3', '--mem-per-cpu=100'),
        await submit(world, { memoryMiB: null }),
      ];
      const { jobs } = await batch.getStatus('cloud', ['c1', 'c2']);
      const asks = ids.map((id) => jobs.find((job) => job.id === id)?.ask);
      assert.deepEqual(asks[0], { nodes: 2, cpus: 6, cpusPerNode: 3, memoryMiB: 300, exclusive: false });
      assert.equal(asks[1]?.exclusive, true, 'CR_Core_Memory gives it all memory of its node');
      for (const id of ids) await world.command('scancel', id);
      await waitFor(world, batch, 'empty', ({ jobs: left }) => left.length === 0);
    });

    await t.test('what keeps a job waiting besides nodes is seen in the very moment of its submission', async () => {
      const first = await submit(world, {});
      const ids = {
        depends: await submit(world, {}, `--dependency=afterok:${first}`),
        later: await submit(world, {}, '--begin=now+600'),
        licence: await submit(world, {}, '-L', 'matlab:1'),
        none: await submit(world, {}, '-L', 'matlab:1'),
      };
      const { jobs } = await batch.getStatus('cloud', ['c1', 'c2']);
      const of = (id: string) => jobs.find((job) => job.id === id);
      assert.equal(of(first)?.helped, 'yes');
      assert.deepEqual(
        Object.values(ids).map((id) => of(id)?.because),
        ['it waits for another job', 'its begin time has not come', '', 'it waits for licences (matlab)'],
      );
      assert.ok((of(ids.later)?.notBefore ?? 0) > Date.now() + 500_000);
      await world.command('scontrol', 'update', 'PartitionName=cloud', 'State=DOWN');
      const down = makeSlurm({ prefix: [], timeout: 10_000 }, { run: world.run, clock: systemClock, log: quietLog });
      const late = await submit(world, {});
      const seen = (await down.getStatus('cloud', ['c1'])).jobs.find((job) => job.id === late);
      assert.equal(seen?.because, 'the partition is down or takes no jobs', String(seen?.reason));
      await world.command('scontrol', 'update', 'PartitionName=cloud', 'State=UP');
      await world.command('scancel', first, late, ...Object.values(ids));
      await waitFor(world, batch, 'empty', ({ jobs: left }) => left.length === 0);
    });

    await t.test('two commands a reading when nothing changes, with 0, 1 and 100 jobs', async () => {
      const ids: string[] = [];
      for (const target of [0, 1, 100]) {
        while (ids.length < target) ids.push(await submit(world, {}));
        // a new job may make it ask for the partition, too, twice a minute at most
        await batch.getStatus('cloud', ['c1', 'c2']);
        commands.length = 0;
        const { jobs } = await batch.getStatus('cloud', ['c1', 'c2']);
        assert.equal(jobs.length, target);
        assert.equal(commands.length, 2, commands.join('\n'));
      }
      await world.command('scancel', ...ids);
      await waitFor(world, batch, 'empty', ({ jobs }) => jobs.length === 0);
    });

    await t.test('a user without rights is told the sudoers line; nothing is read as empty', async () => {
      const nobody = makeSlurm(
        { prefix: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'], timeout: 10_000 },
        { run: world.run, clock: systemClock, log: quietLog },
      );
      await assert.rejects(nobody.leaveCluster(['c1'], 'test'), (error) => {
        assert.ok(error instanceof BatchError);
        assert.equal(error.kind, 'permission');
        assert.match(error.hint, /NOPASSWD: .*scontrol update NodeName/);
        assert.match(error.hint, /BATCH_RUN_PREFIX="sudo -n"/);
        return true;
      });
      assert.equal((await nobody.getStatus('cloud', ['c1'])).nodes[0]?.closed, 'no');
    });

    await t.test('the line for the owner is in AdminComment, and never over somebody else’s', async () => {
      const id = await submit(world, {});
      await batch.tell?.(id, 'c1 is on its way');
      const comment = async (): Promise<string> => {
        const text = await world.command('scontrol', '-o', 'show', 'job', id);
        return /AdminComment=(.*?) (?=[A-Z]\w*=|$)/.exec(`${text} `)?.[1]?.trim() ?? '';
      };
      assert.equal(await comment(), `${MARK} c1 is on its way`);
      await world.command('scontrol', 'update', `JobId=${id}`, 'AdminComment=ask the boss');
      await batch.tell?.(id, 'c1 is there');
      assert.equal(await comment(), 'ask the boss');
      await world.command('scancel', id);
      await waitFor(world, batch, 'empty', ({ jobs }) => jobs.length === 0);
    });
  });

  test('two kinds of nodes: what a job asks of them, what they have, and what of it is free', async () => {
    await using world = await makeSlurmWorld({
      hosts: 3,
      more: ['GresTypes=gpu'],
      nodes: { c2: 'Gres=gpu:a100:2 Feature=fast,ib', c3: 'Gres=gpu:a100:2 Feature=fast' },
      gres: [
        'AutoDetect=off',
        'NodeName=c[2-3] Name=gpu Type=a100 File=/dev/null',
        'NodeName=c[2-3] Name=gpu Type=a100 File=/dev/zero',
      ],
    });
    const batch = adapter(world);
    const ids = {
      gres: await submit(world, {}, '--gres=gpu:1'),
      features: await submit(world, {}, '--constraint=ib|fast&ib'),
      both: await submit(world, { nodes: 2 }, '--gres=gpu:a100:2', '--constraint=fast'),
      gpus: await submit(world, { memoryMiB: null }, '--ntasks=2', '--gpus=4', '--mem-per-gpu=100'),
      tasks: await submit(world, {}, '--ntasks=4', '--gpus-per-task=1'),
      plain: await submit(world, {}),
    };
    const { jobs, nodes, unreadable } = await batch.getStatus('cloud', world.hosts);
    assert.deepEqual(unreadable, []);
    const asks = Object.entries(ids).map(([what, id]) => [what, jobs.find((job) => job.id === id)?.ask]);
    const one = { nodes: 1, cpus: 1, cpusPerNode: 1, memoryMiB: 100, exclusive: false };
    const two = { nodes: 2, cpus: 2, cpusPerNode: 1, memoryMiB: 100, exclusive: false };
    assert.deepEqual(Object.fromEntries(asks), {
      gres: { ...one, gres: { gpu: 1 } },
      features: { ...one, features: [['ib'], ['fast', 'ib']] },
      both: { ...two, gres: { gpu: 2, 'gpu:a100': 2 }, features: [['fast']] },
      gpus: { ...two, memoryMiB: 200, gres: { gpu: 2 } },
      tasks: { ...two, cpus: 4, gres: { gpu: 2 } },
      plain: one,
    });
    const gpus = { gpu: 2, 'gpu:a100': 2 };
    const kinds = nodes.map(({ gres, gresFree, features }) => ({ gres, gresFree, features }));
    assert.deepEqual(kinds, [
      { gres: undefined, gresFree: undefined, features: undefined },
      { gres: gpus, gresFree: gpus, features: ['fast', 'ib'] },
      { gres: gpus, gresFree: gpus, features: ['fast'] },
    ]);

    await world.command('scancel', ...Object.values(ids).filter((id) => id !== ids.gres && id !== ids.features));
    await world.startNode('c2');
    const running = await waitFor(
      world,
      batch,
      'both run on c2',
      (status) => status.jobs.length === 2 && status.jobs.every((job) => job.hosts[0] === 'c2'),
    );
    const c2 = running.nodes.find((node) => node.host === 'c2');
    assert.deepEqual([c2?.gres, c2?.gresFree], [gpus, { gpu: 1, 'gpu:a100': 1 }]);
  });

  test('a node smaller than configured does not join, and Slurm’s reason is told', async () => {
    await using world = await makeSlurmWorld({ hosts: 1, cpus: 512, overrides: false });
    const batch = adapter(world);
    await batch.leaveCluster(['c1'], 'no machine');
    await world.startNode('c1');
    await waitFor(world, batch, 'registered', ({ nodes }) => nodes[0]?.registration !== null);
    const [outcome] = await batch.joinCluster(['c1']);
    assert.equal(outcome?.result, 'failed');
    assert.match(outcome?.message ?? '', /INVALID_REG/);
    assert.notEqual((await batch.getStatus('cloud', ['c1'])).nodes[0]?.state, 'idle');
  });

  test('a restart of slurmctld with a running job: nothing looks idle, our drain and the job stay', async () => {
    await using world = await makeSlurmWorld({ hosts: 2, slurmdTimeout: 60 });
    const batch = adapter(world);
    for (const host of world.hosts) await world.startNode(host);
    await waitFor(world, batch, 'idle', ({ nodes }) => nodes.every((node) => node.state === 'idle'));
    const registration = (await batch.getStatus('cloud', ['c1'])).nodes[0]?.registration;
    await batch.leaveCluster(['c2'], 'not wanted');
    const id = await submit(world, {});
    await waitFor(world, batch, 'runs', ({ jobs }) => jobs[0]?.state === 'running');
    await world.stopServer();
    await assert.rejects(batch.getStatus('cloud', world.hosts), { kind: 'silent' });
    await world.startServer();
    const seen: string[] = [];
    await waitFor(world, batch, 'both registered again', ({ nodes, jobs }) => {
      seen.push(nodes.map((node) => `${node.words}:${node.state}`).join(' '));
      assert.equal(jobs[0]?.state, 'running', seen.join('\n'));
      assert.equal(nodes[0]?.hasJob, true, seen.join('\n'));
      assert.equal(nodes[1]?.closed, 'ours', seen.join('\n'));
      return nodes.every((node) => node.responding);
    });
    assert.equal((await batch.getStatus('cloud', ['c1'])).nodes[0]?.registration, registration);
    await world.command('scancel', id);
  });
});

function adapter(world: SlurmWorld, run: Run = world.run): Batch {
  return makeSlurm({ prefix: [], timeout: 10_000 }, { run, clock: systemClock, log: quietLog });
}

interface Job {
  readonly nodes?: number;
  readonly cpus?: number;
  /** null = not said. */
  readonly memoryMiB?: number | null;
  readonly exclusive?: boolean;
  readonly hold?: boolean;
  readonly array?: number;
  readonly taskLimit?: number;
  readonly name?: string;
}

/** A job that sleeps until it is cancelled. */
async function submit(world: SlurmWorld, job: Job, ...more: string[]): Promise<string> {
  const memory = job.memoryMiB === undefined ? 100 : job.memoryMiB;
  const limit = job.taskLimit === undefined ? '' : `%${job.taskLimit}`;
  const words = [
    `--nodes=${job.nodes ?? 1}`,
    ...(job.cpus === undefined ? [] : [`--ntasks=${job.cpus}`]),
    ...(memory === null ? [] : [`--mem=${memory}`]),
    ...(job.exclusive ? ['--exclusive'] : []),
    ...(job.hold ? ['--hold'] : []),
    ...(job.array === undefined ? [] : [`--array=1-${job.array}${limit}`]),
    ...(job.name === undefined ? [] : [`--job-name=${job.name}`]),
    ...more.filter((word) => !word.startsWith('--ntasks')),
  ];
  const tasks = more.filter((word) => word.startsWith('--ntasks'));
  const nodes = tasks.length > 0 ? words.filter((word) => !word.startsWith('--nodes')) : words;
  const where = ['--output=/dev/null', `--chdir=${world.dir}`, '--wrap', 'sleep 600'];
  return (await world.command('sbatch', '--parsable', ...nodes, ...tasks, ...where)).trim();
}

async function personDrain(world: SlurmWorld, host: string, reason: string | null): Promise<void> {
  const state = reason === null ? ['State=RESUME'] : ['State=DRAIN', `Reason=${reason}`];
  await world.command('scontrol', 'update', `NodeName=${host}`, ...state);
}

async function waitFor(
  world: SlurmWorld,
  batch: Batch,
  what: string,
  so: (status: QueueStatus) => boolean,
): Promise<QueueStatus> {
  const end = performance.now() + 40_000;
  for (;;) {
    const status = await batch.getStatus(world.queue, world.hosts);
    if (so(status)) return status;
    if (performance.now() > end) {
      const { jobs, nodes } = status;
      assert.fail(`${what}: not within 40 s\n${JSON.stringify({ jobs, nodes })}\n${await worldLogs(world)}`);
    }
    await sleep(150);
  }
}

test('worlds leave nothing behind', { skip }, async () => {
  const { run } = await import('../src/lib/run.ts');
  const dirs: string[] = [];
  for (let i = 0; i < 2; i++) {
    const world = await makeSlurmWorld({ hosts: 1 });
    dirs.push(world.dir);
    await world.startNode('c1');
    await until(
      'c1 runs',
      async () => (await run(['pgrep', '-f', `${world.dir}/slurm.conf`], { timeout: 5000 })).code === 0,
    );
    await world.dispose();
  }
  for (const dir of dirs) {
    assert.equal((await run(['pgrep', '-f', dir], { timeout: 5000 })).stdout, '', 'processes');
    assert.equal((await run(['ls', dir], { timeout: 5000 })).code, 2, 'files');
  }
  const links = (await run(['ip', '-br', 'link'], { timeout: 5000 })).stdout;
  assert.doesNotMatch(links, /^hct(0|v\d)/m);
});
