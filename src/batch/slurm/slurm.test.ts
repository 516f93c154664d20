import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BatchError, type BatchErrorKind } from '../../domain/errors.ts';
import type { Job } from '../../domain/job.ts';
import type { BatchNode } from '../../domain/node.ts';
import { fixture, slurmOf } from './fixtures/replay.ts';

const C = ['c1', 'c2', 'c3', 'c4'];
const brief = (node: BatchNode) => [node.host, node.state, node.closed, node.responding, node.hasJob];
const byId = (jobs: readonly Job[], id: string): Job => {
  const job = jobs.find((one) => one.id === id);
  assert.ok(job, `no job ${id} in ${jobs.map((one) => one.id).join(' ')}`);
  return job;
};

describe('recorded from 22.05.8', () => {
  const read = (nodes: string, jobs = 'jobs-none', now?: number) =>
    slurmOf(
      { nodes: fixture(`22.05/${nodes}.txt`), jobs: (style) => fixture(`22.05/${jobs}.${style}.txt`) },
      now,
    ).batch.getStatus('cloud', C);

  test('nodes that never registered are down and free of jobs', async () => {
    const { nodes } = await read('nodes-never-registered');
    assert.deepEqual(
      nodes.map(brief),
      C.map((host) => [host, 'down', 'no', false, false]),
    );
    assert.deepEqual(
      nodes.map((node) => [node.registration, node.inQueue, node.cpus, node.cpusFree, node.memoryMiB]),
      C.map(() => [null, true, 4, 4, 1000]),
    );
  });

  test('our drain before birth is seen as ours, registered or not', async () => {
    const before = await read('nodes-drained-before-birth');
    assert.deepEqual(
      before.nodes.map(brief),
      C.map((host) => [host, 'down', 'ours', false, false]),
    );
    const after = await read('nodes-drained-registered');
    assert.deepEqual(
      after.nodes.map(brief),
      C.map((host) => (host === 'c4' ? [host, 'down', 'ours', false, false] : [host, 'drained', 'ours', true, false])),
    );
    assert.equal(after.nodes[0]?.reason, 'hybrid-cloud: no machine');
    assert.match(after.nodes[0]?.registration ?? '', /^20\d\d-/);
  });

  test('busy, draining by a person, lost', async () => {
    const { nodes, tally } = await read('nodes-with-jobs', 'jobs-running');
    assert.deepEqual(nodes.map(brief), [
      ['c1', 'busy', 'no', true, true],
      ['c2', 'draining', 'theirs', true, true],
      ['c3', 'busy', 'no', true, true],
      ['c4', 'down', 'ours', false, false],
    ]);
    assert.equal(nodes[1]?.reason, 'fan State=IDLE is broken = bad');
    assert.deepEqual(nodes[1]?.jobs, ['2']);
    assert.deepEqual([nodes[1]?.cpusFree, nodes[1]?.memoryFreeMiB], [0, 0]);
    assert.equal(tally.R, 8);
    const lost = await read('nodes-one-lost');
    assert.deepEqual(brief(lost.nodes[2] ?? assert.fail()), ['c3', 'down', 'no', false, false]);
  });

  test('a running job makes its node busy even when the node’s own record is older', async () => {
    const { nodes } = await read('nodes-never-registered', 'jobs-running');
    assert.deepEqual(
      nodes.map((node) => node.hasJob),
      [true, true, true, false],
    );
    // and what the jobs take is not told as free
    assert.deepEqual(
      nodes.map((node) => node.cpusFree < node.cpus),
      [true, true, true, false],
    );
  });

  for (const style of ['long', 'short'] as const) {
    test(`jobs of all kinds wait while every node is drained (${style} format)`, async () => {
      const { batch } = slurmOf({
        nodes: fixture('22.05/nodes-drained-before-birth.txt'),
        jobs: (asked) =>
          asked === style
            ? fixture(`22.05/jobs-all-drained.${style}.txt`)
            : { stderr: 'squeue: error: Invalid job format specification: tres-alloc\n', stdout: 'x' },
      });
      await batch.checkVersion();
      const { jobs, tally, unreadable } = await batch.getStatus('cloud', C);
      assert.deepEqual(unreadable, []);
      assert.deepEqual(tally, { PD: 11 + 501 + 501 + 67 });
      const of = (name: string): Job => {
        const job = jobs.find((one) => one.name.startsWith(name));
        assert.ok(job, name);
        return job;
      };
      const verdicts = ['one', 'exclusive', 'held', 'later', 'too many', 'depends', 'evil'].map((name) => [
        name,
        of(name).helped,
      ]);
      assert.deepEqual(verdicts, [
        ['one', 'yes'],
        ['exclusive', 'yes'],
        ['held', 'no'],
        ['later', 'no'],
        ['too many', 'no'],
        ['depends', 'no'],
        ['evil', 'yes'],
      ]);
      assert.equal(of('evil').name, 'evil name<end> 1<separator>1|"x" [31m%i,%j');
      assert.deepEqual(of('exclusive').ask.exclusive, true);
      assert.deepEqual(of('user only').ask.exclusive, true);
      assert.equal(of('no memory named').ask.exclusive, true, 'memory counts here: it gets all of it');
      assert.equal(of('one').ask.exclusive, false);
      assert.deepEqual(of('four tasks of three').ask, {
        nodes: 4,
        cpus: 12,
        cpusPerNode: 3,
        memoryMiB: style === 'long' ? 150 : 50,
        exclusive: false,
      });
      assert.deepEqual([of('two nodes').ask.nodes, of('two nodes').ask.memoryMiB], [2, 100]);
      assert.deepEqual([of('array').tasks, of('array').taskLimit, of('array').array], [501, 2, '6']);
      assert.equal(of('array with step').tasks, 501);
      assert.equal(jobs.at(-1)?.name, 'held', 'priority 0 is last');
    });
  }

  test('hosts Slurm does not know are absent, the others are read', async () => {
    const { batch } = slurmOf({ nodes: fixture('22.05/nodes-some-unknown.txt') });
    const { nodes } = await batch.getStatus('cloud', ['c9', 'c1', 'c8', 'c2']);
    assert.deepEqual(
      nodes.map((node) => [node.host, node.state]),
      [
        ['c9', 'absent'],
        ['c1', 'down'],
        ['c8', 'absent'],
        ['c2', 'down'],
      ],
    );
  });

  test('a stopped slurmctld is silence', async () => {
    const { batch } = slurmOf({ nodes: { code: 1, stderr: fixture('22.05/nodes-server-stopped.txt') } });
    await rejects(batch.getStatus('cloud', C), 'silent', /Unable to contact slurm controller/);
  });

  for (const style of ['long', 'short'] as const) {
    test(`every way to ask for GPUs and features (${style} format)`, async () => {
      const { batch } = slurmOf({
        nodes: fixture('22.05/nodes-mixed-never-registered.txt'),
        jobs: (asked) => (asked === style ? fixture(`22.05/jobs-mixed.${style}.txt`) : 'x\n'),
      });
      const { jobs, unreadable, nodes } = await batch.getStatus('cloud', C);
      assert.deepEqual(unreadable, []);
      const asked = jobs.map(({ name, ask }) => [
        name,
        ask.nodes,
        ask.gres ?? {},
        ask.features?.map((set) => set.join('&')).join(' | ') ?? '',
      ]);
      // the short format has no tres-per-job, -task and -socket; NODES is 2 where slurmctld has counted the GPUs itself
      const long = style === 'long';
      assert.deepEqual(asked, [
        ['gres', 1, { gpu: 1 }, ''],
        ['gres typed', 1, { gpu: 2, 'gpu:a100': 2 }, ''],
        ['gres without count', 1, { gpu: 1 }, ''],
        ['gres none', 1, {}, ''],
        ['gres of two kinds', 1, { gpu: 1, fs: 1 }, ''],
        ['gpus', 2, long ? { gpu: 2 } : {}, ''],
        ['gpus on two', 2, long ? { gpu: 2 } : {}, ''],
        ['gpus typed', 1, long ? { gpu: 2, 'gpu:a100': 1, 'gpu:v100': 1 } : {}, ''],
        ['gpus per task', 2, long ? { gpu: 2 } : {}, ''],
        ['gpus per node', 2, { gpu: 1, 'gpu:a100': 1 }, ''],
        ['gpus per socket', 1, long ? { gpu: 2 } : {}, ''],
        ['cpus per gpu', 1, long ? { gpu: 2 } : {}, ''],
        ['word', 1, {}, 'fast'],
        ['and', 1, {}, 'fast&near'],
        ['comma', 1, {}, 'fast&near'],
        ['or', 1, {}, 'near | fast'],
        ['from the left', 1, {}, 'near | fast&near'],
        ['parentheses', 1, {}, 'near | fast&near'],
        ['alike', 2, {}, 'near | fast'],
        ['counts', 2, {}, 'near | fast'],
        ['count', 2, {}, 'fast'],
        ['many tasks on fast ones', 2, {}, 'fast'],
        ['GPUs and features', 2, { gpu: 1 }, 'fast'],
        ['memory per GPU', 2, long ? { gpu: 2 } : {}, ''],
      ]);
      const last = jobs.at(-1)?.ask;
      assert.deepEqual([last?.memoryMiB, last?.exclusive], long ? [400, false] : [0, true]);
      assert.equal(jobs.find((job) => job.name === 'cpus per gpu')?.ask.cpusPerNode, long ? 4 : 1);
      assert.deepEqual(
        nodes.map((node) => [node.gres ?? {}, node.gresFree ?? {}, node.features ?? []]),
        [
          [{}, {}, []],
          [{}, {}, ['near']],
          [{ gpu: 2, 'gpu:a100': 2, fs: 1 }, { gpu: 2, 'gpu:a100': 2, fs: 1 }, ['fast', 'near']],
          [{ gpu: 2, 'gpu:a100': 1, 'gpu:v100': 1 }, { gpu: 2, 'gpu:a100': 1, 'gpu:v100': 1 }, ['fast']],
        ],
      );
    });
  }

  test('GPUs in use are not free', async () => {
    const { nodes, jobs } = await read('nodes-mixed-with-jobs', 'jobs-mixed-running');
    assert.deepEqual(
      nodes.map((node) => [node.host, node.gresFree]),
      [
        ['c1', undefined],
        ['c2', undefined],
        ['c3', { gpu: 0, 'gpu:a100': 0, fs: 1 }],
        ['c4', { gpu: 0, 'gpu:a100': 0, 'gpu:v100': 0 }],
      ],
    );
    const running = jobs.find((job) => job.name === 'gpus typed');
    assert.deepEqual(
      [running?.state, running?.hosts, running?.ask.gres],
      ['running', ['c4'], { gpu: 2, 'gpu:a100': 1, 'gpu:v100': 1 }],
    );
  });

  test('a begin time that has passed lets nodes help', async () => {
    const { jobs } = await read('nodes-never-registered', 'jobs-all-drained', 1_900_000_000_000);
    assert.equal(jobs.find((job) => job.name === 'later')?.helped, 'yes');
  });
});

describe('built after the documentation', () => {
  test('17.11: signs behind the state, the specification’s own world', async () => {
    const hosts = Array.from({ length: 10 }, (_, i) => `c${i + 1}`);
    const { batch, commands } = slurmOf({
      nodes: fixture('17.11/nodes.txt'),
      // an old squeue leaves out the texts behind the fields of -O
      jobs: (style) => (style === 'long' ? '17cloudPDrun.sh\n' : fixture('17.11/jobs.short.txt')),
    });
    const status = await batch.getStatus('cloud', hosts);
    assert.deepEqual(status.unreadable, []);
    assert.deepEqual(status.nodes.map(brief), [
      ['c1', 'idle', 'no', true, false],
      ['c2', 'busy', 'no', true, true],
      ['c3', 'draining', 'ours', true, true],
      ['c4', 'down', 'theirs', false, false],
      ['c5', 'down', 'no', false, false],
      ['c6', 'busy', 'no', true, true],
      ['c7', 'down', 'ours', false, false],
      ['c8', 'busy', 'no', false, true],
      ['c9', 'idle', 'no', true, false],
      ['c10', 'down', 'theirs', true, false],
    ]);
    assert.equal(status.nodes[9]?.reason, 'broken fan State=IDLE');
    assert.deepEqual(status.tally, { R: 1, PD: 2 + 3 + 1 + 1 + 1 + 1, CG: 1, CF: 1, SE: 1 });
    assert.deepEqual(byId(status.jobs, '22').ask, {
      nodes: 2,
      cpus: 8,
      cpusPerNode: 4,
      memoryMiB: 1536,
      exclusive: true,
    });
    assert.deepEqual(byId(status.jobs, '19').ask, {
      nodes: 1,
      cpus: 1,
      cpusPerNode: 1,
      memoryMiB: 0,
      exclusive: true,
      gres: { gpu: 1, 'gpu:tesla': 1, craynetwork: 1 },
      features: [['a', 'b']],
    });
    assert.equal(byId(status.jobs, '18').ask.gres, undefined, 'not asked for prints as (null)');
    assert.deepEqual(status.nodes[1]?.gresFree, { gpu: 1, 'gpu:tesla': 1, craynetwork: 3 });
    assert.deepEqual(status.nodes[1]?.features, ['a', 'b']);
    assert.deepEqual(status.nodes[3]?.features, ['a', 'knl'], 'not up, so none is active: those it will have');
    assert.deepEqual(status.nodes[3]?.gresFree, status.nodes[3]?.gres);
    assert.equal(status.nodes[0]?.gres, undefined);
    assert.deepEqual(byId(status.jobs, '25').hosts, ['c8']);
    assert.equal(byId(status.jobs, '28').helped, 'no');
    assert.equal(byId(status.jobs, '20_[2-4%1]').taskLimit, 1);
    assert.equal(byId(status.jobs, '20_1').state, 'running');
    commands.length = 0;
    await batch.getStatus('cloud', hosts);
    assert.equal(commands.length, 2, 'the old format is remembered');
  });

  test('24.11: many flags, zero-padded names, new words', async () => {
    const hosts = Array.from({ length: 11 }, (_, i) => `n${String(i + 1).padStart(2, '0')}`);
    const { batch, commands } = slurmOf({
      nodes: fixture('24.11/nodes.txt'),
      jobs: fixture('24.11/jobs.long.txt'),
    });
    const status = await batch.getStatus('cloud', hosts);
    assert.equal(commands[0], 'scontrol -o -d show node n[01-11]');
    assert.deepEqual(status.nodes.map(brief), [
      ['n01', 'idle', 'no', true, false],
      ['n02', 'idle', 'no', true, false],
      ['n03', 'down', 'no', false, false],
      ['n04', 'draining', 'ours', true, true],
      ['n05', 'down', 'no', false, false],
      ['n06', 'drained', 'theirs', true, false],
      ['n07', 'drained', 'theirs', true, false],
      ['n08', 'down', 'theirs', false, false],
      ['n09', 'unknown', 'theirs', false, true],
      ['n10', 'busy', 'no', true, true],
      ['n11', 'drained', 'theirs', true, false],
    ]);
    assert.equal(status.nodes[3]?.reason, 'hybrid-cloud: not wanted');
    assert.equal(status.nodes[0]?.cpus, 15, 'CPUEfctv: one is kept for the system');
    assert.deepEqual(status.unreadable, ['node n09: state IDLE+SOMETHING_NEW']);
    assert.deepEqual(byId(status.jobs, '100').ask, {
      nodes: 1,
      cpus: 8,
      cpusPerNode: 4,
      memoryMiB: 16_384,
      exclusive: false,
    });
    assert.equal(byId(status.jobs, '101').ask.exclusive, true);
    assert.deepEqual(byId(status.jobs, '101').ask.gres, { gpu: 2, 'gpu:a100': 2 });
    assert.deepEqual(byId(status.jobs, '101').ask.features, [
      ['cloud', 'fast'],
      ['ib', 'fast'],
    ]);
    assert.deepEqual(byId(status.jobs, '102_[0-9999%100]').ask.gres, { gpu: 1 }, '--gpus-per-task, beside cpu=1');
    const { gres, memoryMiB } = byId(status.jobs, '105').ask;
    assert.deepEqual([gres, memoryMiB], [{ gpu: 3 }, 6144], '--gpus=3 --mem-per-gpu=2G');
    assert.deepEqual(status.nodes[9]?.gres, { gpu: 4, 'gpu:a100': 4, shard: 16, 'shard:a100': 16 });
    assert.deepEqual(status.nodes[9]?.gresFree, { gpu: 3, 'gpu:a100': 3, shard: 16, 'shard:a100': 16 });
    assert.deepEqual(status.nodes[0]?.gresFree, { gpu: 4, 'gpu:a100': 4 }, 'use is not told, and nothing runs');
    assert.deepEqual(
      ['104', '105', '108'].map((id) => byId(status.jobs, id).helped),
      ['no', 'unknown', 'yes'],
    );
    assert.equal(
      status.jobs.some((job) => job.id === '106'),
      false,
      'it runs on another cluster',
    );
    assert.deepEqual(status.nodes[9]?.jobs, ['103', '107']);
  });
});

describe('what does not fit', () => {
  const nodes = fixture('22.05/nodes-never-registered.txt');
  const line = fixture('22.05/jobs-running.long.txt')
    .split('\n')
    .find((one) => one.includes('_S_R_S_'));
  assert.ok(line);

  test('a record that cannot be read is told, the rest is used, and its node counts as busy', async () => {
    const strange = line.replace('_S_R_S_', '_S_ZZ_S_').replace(/_S_c1_S_/, '_S_c[2-3]_S_');
    const { batch } = slurmOf({ nodes, jobs: `${strange}\n${line}\nhalf of a record on c4_E_\n` });
    const { jobs, unreadable, nodes: views } = await batch.getStatus('cloud', C);
    assert.equal(jobs.length, 1);
    assert.equal(unreadable.length, 2, unreadable.join('\n'));
    assert.deepEqual(
      views.map((node) => node.hasJob),
      [true, true, true, true],
    );
  });

  test('a list of nodes that cannot be read makes all that may be in it busy', async () => {
    const { batch } = slurmOf({ nodes, jobs: `${line.replace(/_S_c1_S_/, '_S_c[1-_S_')}\n` });
    const { nodes: views, unreadable } = await batch.getStatus('cloud', C);
    assert.ok(views.every((node) => node.hasJob));
    assert.equal(unreadable.length, 1);
  });

  test('a node record that cannot be read is unknown and busy, the others are read', async () => {
    for (const [broken, why] of [
      [nodes.replace(/State=\S+/, 'State=QUITE_NEW'), 'a state nobody knows'],
      [nodes.replace(/CPUAlloc=\d+/, 'CPUAlloc=?'), 'a number that is none'],
      [`${nodes}${nodes.split('\n')[0]}\n`, 'two records of one node'],
      [nodes.replace(/ SlurmdStartTime=\S+/, ''), 'a record that is too short'],
    ] as const) {
      const { batch } = slurmOf({ nodes: broken });
      const { nodes: views, unreadable } = await batch.getStatus('cloud', C);
      assert.deepEqual(
        views.map((node) => [node.state, node.hasJob]),
        C.map((host) => (host === 'c1' ? ['unknown', true] : ['down', false])),
        why,
      );
      assert.equal(unreadable.length, 1, why);
    }
  });

  test('what is in use is taken from the trackable resources when scontrol does not tell it, else as all', async () => {
    const line = fixture('22.05/nodes-mixed-with-jobs.txt').split('\n')[2] ?? '';
    const silent = line.replace(/ GresUsed=\S+/, '').replace('GresDrain=N/A', '');
    const tracked = silent.replace(/CfgTRES=\S+/, 'CfgTRES=cpu=4,mem=1000M,billing=4,gres/gpu=2,gres/fs=1');
    for (const [text, free, why] of [
      [silent, { gpu: 0, 'gpu:a100': 0, fs: 0 }, 'nothing is told'],
      [
        tracked.replace(/AllocTRES=\S+/, 'AllocTRES=cpu=4,gres/gpu=1,gres/gpu:a100=1'),
        { gpu: 1, 'gpu:a100': 1, fs: 1 },
        'one is in use',
      ],
      [tracked, { gpu: 2, 'gpu:a100': 2, fs: 1 }, 'they are tracked, and none is in use'],
    ] as const) {
      const { nodes: views } = await slurmOf({ nodes: `${text}\n` }).batch.getStatus('cloud', ['c3']);
      assert.deepEqual(views[0]?.gresFree, free, why);
    }
  });

  test('a request without all its parts is told, and its host counts as busy', async () => {
    const { batch } = slurmOf({ nodes, jobs: `${line.replace(';;', '')}\n` });
    const { jobs, unreadable, nodes: views } = await batch.getStatus('cloud', C);
    assert.deepEqual([jobs.length, unreadable.length, views[0]?.hasJob], [0, 1, true]);
  });

  test('a constraint that cannot be read is none, and the job stays', async () => {
    const strange = line.replace(';;(null);;', ';;a&(b;;').replace('_S_R_S_c1_S_', '_S_PD_S__S_');
    const { jobs, unreadable } = await slurmOf({ nodes, jobs: `${strange}\n` }).batch.getStatus('cloud', C);
    assert.deepEqual([jobs.length, unreadable, jobs[0]?.ask.features], [1, [], undefined]);
  });

  test('a key that the release does not print is not taken from a reason or a comment', async () => {
    // 17.11 has no CPUEfctv: were it read from the reason, the node would look four times as large as it is
    for (const text of ['Reason=see CPUEfctv=16 there', 'Comment=see CPUEfctv=16', 'Extra=see CPUEfctv=16']) {
      const first = fixture('17.11/nodes.txt').split('\n')[0] ?? '';
      const { batch } = slurmOf({ nodes: `${first.trimEnd()} ${text}\n` });
      assert.equal((await batch.getStatus('cloud', ['c1'])).nodes[0]?.cpus, 4, text);
    }
  });

  test('a reason that looks like a node record is a reason', async () => {
    const forged = nodes.replace('\n', ' Reason=x\nState=IDLE CPUAlloc=0 [root@2026-11-23T19:00:00]\n');
    const { nodes: views } = await slurmOf({ nodes: forged }).batch.getStatus('cloud', C);
    assert.deepEqual(brief(views[0] ?? assert.fail()), ['c1', 'down', 'theirs', false, false]);
    assert.equal(views[0]?.reason, 'x State=IDLE CPUAlloc=0');
  });

  for (const [what, answers, kind] of [
    ['a host nobody speaks of', { nodes: nodes.split('\n').slice(1).join('\n') }, 'garbled'],
    ['no answer about nodes at all', { nodes: '' }, 'garbled'],
    ['nodes cut in the middle', { nodes: nodes.slice(0, -200) }, 'garbled'],
    ['jobs cut in the middle', { nodes, jobs: `${line}\n${line.slice(0, 40)}` }, 'garbled'],
    ['jobs that are not squeue’s', { nodes, jobs: 'Welcome to the cluster!\n' }, 'garbled'],
    ['output beyond the limit', { nodes, jobs: { stdout: `${line}\n`, cut: true } }, 'garbled'],
    [
      'squeue ends with 1',
      { nodes, jobs: { code: 1, stderr: 'slurm_load_jobs error: Zero Bytes were transmitted or received\n' } },
      'silent',
    ],
    [
      'an error in spite of exit 0',
      { nodes, jobs: { stderr: 'slurm_load_jobs error: Socket timed out on send/recv operation\n' } },
      'silent',
    ],
    [
      'an unknown error in spite of exit 0',
      { nodes, jobs: { stderr: 'squeue: error: something is odd\n' } },
      'garbled',
    ],
    [
      'squeue knows that there is no such queue',
      { nodes, jobs: { code: 1, stderr: 'squeue: error: Invalid partition specified: cloud\n' } },
      'no-queue',
    ],
    ['squeue is killed', { nodes, jobs: { code: null, signal: 'SIGKILL' } }, 'silent'],
    ['the time limit', { nodes, jobs: { code: null, timedOut: true, took: 30_000 } }, 'silent'],
    [
      'squeue is not installed',
      { nodes, jobs: { code: 127, stderr: 'env: ‘squeue’: No such file or directory\n' } },
      'missing',
    ],
    ['scontrol is not installed', { nodes: { code: null, notFound: true } }, 'missing'],
    [
      'PrivateData',
      { nodes, jobs: { code: 1, stderr: 'slurm_load_jobs error: Access/permission denied\n' } },
      'permission',
    ],
  ] as const satisfies readonly (readonly [string, Parameters<typeof slurmOf>[0], BatchErrorKind])[]) {
    test(`${what}: an error, never an empty answer (${kind})`, async () => {
      await rejects(slurmOf(answers).batch.getStatus('cloud', C), kind);
    });
  }

  test('an empty queue is legal; a queue nobody names must be shown to exist', async () => {
    const elsewhere = nodes.replaceAll('Partitions=cloud', 'Partitions=far');
    const { batch, commands } = slurmOf({
      nodes: elsewhere,
      other: (command) =>
        command.endsWith('nope') ? { code: 1, stdout: 'Partition nope not found\n' } : 'PartitionName=cloud\n',
    });
    await rejects(batch.getStatus('nope', C), 'no-queue', /"nope"/);
    commands.length = 0;
    assert.deepEqual((await batch.getStatus('cloud', C)).jobs, []);
    assert.equal(commands.length, 3);
    await batch.getStatus('cloud', C);
    assert.equal(commands.length, 5, 'asked once a minute at most');
    for (const odd of ['', 'a,b', '-h', 'a b', '%x']) await rejects(batch.getStatus(odd, C), 'no-queue');
  });
});

describe('load', () => {
  const nodes = fixture('22.05/nodes-never-registered.txt');
  const record = fixture('22.05/jobs-all-drained.long.txt').split('\n')[0] ?? '';

  for (const count of [1, 100, 10_000]) {
    test(`two commands a reading with ${count} jobs`, async () => {
      const jobs = Array.from(
        { length: count },
        (_, i) => `${record.replace('_S_1_S_1_S_', `_S_${i}_S_${i}_S_`)}\n`,
      ).join('');
      const { batch, commands } = slurmOf({ nodes, jobs });
      const before = process.cpuUsage();
      const status = await batch.getStatus('cloud', C);
      const used = process.cpuUsage(before);
      assert.deepEqual([status.jobs.length, status.tally], [count, { PD: count }]);
      assert.equal(commands.length, 2);
      assert.match(commands[0] ?? '', /^scontrol -o -d show node c\[1-4\]$/);
      const ms = (used.user + used.system) / 1000;
      assert.ok(ms < 1000, `${ms} ms of CPU`);
      for (const job of status.jobs) assert.equal(job.ask, status.jobs[0]?.ask, 'equal demand is one object');
    });
  }

  test('what is kept of 10,000 jobs does not hold on to the text they were read from', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const name = 'a name of forty characters and a number_';
    const many = Array.from({ length: 10_000 }, (_, i) =>
      record.replace('_S_1_S_1_S_', `_S_${i}_S_${i}_S_`).replace('_S_one_E_', `_S_${name}${i}_E_`),
    );
    const { batch } = slurmOf({ nodes, jobs: `${many.join('\n')}\n` });
    const kept: unknown[] = [];
    const before = heap();
    kept.push((await batch.getStatus('cloud', C)).jobs);
    const size = heap() - before;
    assert.equal(kept.length, 1);
    assert.ok(size < 4 * 2 ** 20, `${(size / 2 ** 20).toFixed(2)} MiB; the text alone has 4`);

    function heap(): number {
      collect();
      return process.memoryUsage().heapUsed;
    }
  });
});

async function rejects(call: Promise<unknown>, kind: BatchErrorKind, text = /./): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof BatchError, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, text);
    return true;
  });
}
