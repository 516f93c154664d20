import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JobState } from '../../domain/job.ts';
import { askOf, type Cluster, type Shape } from './ask.ts';
import type { Request } from './job-records.ts';

const PLAIN: Shape = { cpus: 16, gres: {}, features: ['plain'] };
const SMALL: Shape = { cpus: 4, gres: { gpu: 2, 'gpu:a100': 2 }, features: ['fast', 'small'] };
const LARGE: Shape = { cpus: 32, gres: { gpu: 8, 'gpu:h100': 8 }, features: ['fast', 'large'] };

const CLUSTER: Cluster = { shapes: [], memoryCounts: true };

/** One task of one CPU that asks for 100 MiB, as 22.05.8 prints it, and what the test is about. */
function request(changes: Partial<Request> = {}): Request {
  return {
    nodes: '1',
    cpus: '1',
    minCpus: '1',
    minMemory: '100M',
    share: 'OK',
    gresPerNode: 'N/A',
    features: '(null)',
    named: '',
    timeLimit: 'UNLIMITED',
    licenses: '(null)',
    tasks: '1',
    cpusPerTask: '1',
    tres: 'cpu=1,mem=100M,node=1,billing=1',
    gresPerJob: 'N/A',
    gresPerTask: 'N/A',
    gresPerSocket: 'N/A',
    sockets: '*',
    cpusPerGres: 'N/A',
    memoryPerGres: 'N/A',
    ...changes,
  };
}

function ask(
  changes: Partial<Request>,
  shapes: readonly Shape[] = [PLAIN, SMALL],
  memoryCounts = true,
  state: JobState = 'waiting',
) {
  const found = askOf(request(changes), state, { shapes, memoryCounts });
  assert.ok(typeof found === 'object', String(found));
  return found;
}

describe('generic resources on each host', () => {
  for (const [what, changes, nodes, gres] of [
    ['nothing', {}, 1, undefined],
    ['--gres=gpu:1', { gresPerNode: 'gres:gpu:1' }, 1, { gpu: 1 }],
    ['-N2 --gres=gpu:a100:2', { nodes: '2', gresPerNode: 'gres/gpu:a100:2' }, 2, { gpu: 2, 'gpu:a100': 2 }],
    ['--gpus=1', { gresPerJob: 'gres:gpu:1' }, 1, { gpu: 1 }],
    ['--gpus=12, NODES is 1', { gresPerJob: 'gres:gpu:12' }, 6, { gpu: 2 }],
    ['--gpus=3, NODES is 2', { nodes: '2', gresPerJob: 'gres:gpu:3' }, 2, { gpu: 2 }],
    ['-N3 --gpus=3', { nodes: '3', gresPerJob: 'gres:gpu:3' }, 3, { gpu: 1 }],
    ['-n6 --gpus-per-task=1', { tasks: '6', cpus: '6', gresPerTask: 'gres:gpu:1' }, 3, { gpu: 2 }],
    ['-n3 --gpus-per-task=2', { tasks: '3', cpus: '3', gresPerTask: 'cpu=1,gres/gpu=2' }, 3, { gpu: 2 }],
    [
      '--gpus=3 --gpus-per-task=1',
      { tasks: '3', cpus: '3', gresPerJob: 'gres:gpu:3', gresPerTask: 'gres:gpu:1' },
      2,
      { gpu: 2 },
    ],
    ['--gpus-per-socket=1 on 2 sockets', { gresPerSocket: 'gres:gpu:1', sockets: '2' }, 1, { gpu: 2 }],
    ['--gpus-per-socket=1', { gresPerSocket: 'gres:gpu:1' }, 1, { gpu: 1 }],
    ['a kind no host has', { gresPerJob: 'gres:fpga:3' }, 1, { fpga: 3 }],
    ['more per task than any host has', { tasks: '2', cpus: '2', gresPerTask: 'gres:gpu:3' }, 1, { gpu: 6 }],
  ] as const) {
    test(`${what}: ${nodes} hosts with ${JSON.stringify(gres)}`, () => {
      const found = ask(changes);
      assert.deepEqual([found.nodes, found.gres], [nodes, gres]);
    });
  }

  test('a running job has the hosts it has, whatever else would be needed', () => {
    const found = ask({ nodes: '2', gresPerJob: 'gres:gpu:12' }, [PLAIN, SMALL], true, 'running');
    assert.deepEqual([found.nodes, found.gres], [2, { gpu: 6 }]);
  });
});

describe('hosts are counted by the largest one that could take the job', () => {
  for (const [what, changes, nodes] of [
    ['--gpus=8 fits the largest', { gresPerJob: 'gres:gpu:8' }, 1],
    ['--gpus=8 of a type the small ones have', { gresPerJob: 'gres:gpu:a100:8' }, 4],
    ['--gpus=8 on small ones', { gresPerJob: 'gres:gpu:8', features: 'small' }, 4],
    ['16 tasks', { tasks: '16', cpus: '16' }, 1],
    ['16 tasks on small ones', { tasks: '16', cpus: '16', features: 'small' }, 4],
    ['16 tasks beside an A100 on each host', { tasks: '16', cpus: '16', gresPerNode: 'gres:gpu:a100:1' }, 4],
    ['16 tasks where no host suits: as if any did', { tasks: '16', cpus: '16', features: 'nowhere' }, 1],
  ] as const) {
    test(`${what}: ${nodes}`, () => {
      assert.equal(ask(changes, [PLAIN, SMALL, LARGE]).nodes, nodes);
    });
  }

  test('of an unknown pool nothing is counted', () => {
    assert.equal(ask({ gresPerJob: 'gres:gpu:8', tasks: '8', cpus: '8' }, []).nodes, 1);
  });
});

test('CPUs and memory for each GPU', () => {
  const cpus = ask({ gresPerJob: 'gres:gpu:2', cpusPerGres: 'gres:gpu:2' });
  assert.deepEqual([cpus.cpus, cpus.cpusPerNode], [4, 4]);
  const memory = ask({ nodes: '2', minMemory: '0', gresPerJob: 'gres:gpu:4', memoryPerGres: 'gres:gpu:300' });
  assert.deepEqual([memory.memoryMiB, memory.exclusive], [600, false], 'not the whole node, though %m is 0');
  assert.equal(ask({ minMemory: '0' }).exclusive, true);
  assert.equal(ask({ minMemory: '0' }, [PLAIN], false).exclusive, false);
});

test('features become sets of words, and none when nothing is asked', () => {
  assert.deepEqual(ask({ features: '(plain|fast)&small' }).features, [
    ['plain', 'small'],
    ['fast', 'small'],
  ]);
  assert.equal(Object.hasOwn(ask({}), 'features'), false);
  assert.equal(Object.hasOwn(ask({ features: 'fast?' }), 'features'), false, 'not readable: never an unreadable job');
});

test('the short format has no tasks and sees what is asked per node', () => {
  const blank = { tasks: '', cpusPerTask: '', tres: '', gresPerJob: '', gresPerTask: '', gresPerSocket: '' };
  const found = ask({
    ...blank,
    sockets: '',
    cpusPerGres: '',
    memoryPerGres: '',
    gresPerNode: 'gpu:1',
    features: 'a&b',
  });
  assert.deepEqual(found, {
    nodes: 1,
    cpus: 1,
    cpusPerNode: 1,
    memoryMiB: 100,
    exclusive: false,
    gres: { gpu: 1 },
    features: [['a', 'b']],
  });
});

describe('hosts by name', () => {
  for (const [what, changes, nodes, hosts] of [
    ['none', {}, 1, undefined],
    ['none, in the words of other releases', { named: '(null)' }, 1, undefined],
    ['-w c2', { named: 'c2' }, 1, ['c2']],
    ['-N2 -w c2,c4', { nodes: '2', named: 'c[2,4]' }, 2, ['c2', 'c4']],
    ['-N3 -w c[1-2]', { nodes: '3', named: 'c[1-2]' }, 3, ['c1', 'c2']],
    ['more names than nodes', { named: 'c[1-3]' }, 3, ['c1', 'c2', 'c3']],
    ['one twice', { named: 'c1,c1' }, 1, ['c1']],
  ] as const) {
    test(`${what}: ${nodes} hosts, ${hosts}`, () => {
      const found = ask(changes);
      assert.deepEqual([found.nodes, found.hosts], [nodes, hosts]);
    });
  }

  test('a running job has them already', () =>
    assert.equal(ask({ named: 'c2' }, [], true, 'running').hosts, undefined));

  test('no host list: the record cannot be read', () => {
    assert.match(String(askOf({ ...request(), named: 'c[1-' }, 'waiting', CLUSTER)), /requested nodes "c\[1-"/);
  });
});
