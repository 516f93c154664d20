/**
 * Pools whose hosts are not alike, or are asked for by name: GPUs, features, larger hosts. c1 and c2 are plain, c3 has two A100, c4 has two V100,
 * twice the CPUs and memory of the others, and the feature `big`.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Ask, Job } from '../domain/job.ts';
import type { BatchNode } from '../domain/node.ts';
import type { Pool } from '../domain/pool.ts';
import { plan } from './plan.ts';
import { BUSY, type HostSketch, job, NOW, POOL, running, snapshot } from './snapshot.fixture.ts';

type Node = Partial<BatchNode>;

function gpus(type: string, more: Node = {}): Node {
  const gres = { gpu: 2, [`gpu:${type}`]: 2 };
  return { gres, gresFree: gres, ...more };
}

const PLAIN: Node = { features: ['slow'] };
const NODES: Readonly<Record<string, Node>> = {
  c1: PLAIN,
  c2: PLAIN,
  c3: gpus('a100', { features: ['fast'] }),
  c4: gpus('v100', { features: ['fast', 'big'], cpus: 8, cpusFree: 8, memoryMiB: 16_000, memoryFreeMiB: 16_000 }),
};

/** c1 and c3 change places: the GPU host is the first of hosts.json. */
const GPU_FIRST = { ...NODES, c1: gpus('a100', { features: ['fast'] }), c3: PLAIN };

interface Case {
  readonly what: string;
  readonly jobs: readonly Job[];
  readonly nodes?: Readonly<Record<string, Node>>;
  /** Hosts that are not free. */
  readonly hosts?: Readonly<Record<string, HostSketch>>;
  readonly limits?: Partial<Pool['limits']>;
  /** Hosts that get a machine, in this order. */
  readonly create: readonly string[];
  /** What the verdict of the last job says. */
  readonly says?: RegExp;
}

const want = (ask: Partial<Ask>): Job => job({ ask });
const times = (n: number, ask: Partial<Ask>): readonly Job[] => Array.from({ length: n }, () => want(ask));
const whole = { exclusive: true };
const gpu = (n: number, type?: string): Partial<Ask> => ({
  gres: type === undefined ? { gpu: n } : { gpu: n, [`gpu:${type}`]: n },
});

function decide(one: Case) {
  const sketches = Object.fromEntries(
    POOL.hosts.map(({ name }) => {
      const sketch = one.hosts?.[name] ?? { state: 'free' as const };
      return [name, { ...sketch, node: { ...(one.nodes ?? NODES)[name], ...sketch.node } }];
    }),
  );
  return plan(snapshot(sketches, one.jobs, { pool: { limits: { ...POOL.limits, ...one.limits } } }));
}

const GPUS: readonly Case[] = [
  {
    what: 'a GPU job creates a GPU host, though others are earlier in hosts.json',
    jobs: [want(gpu(1))],
    create: ['c3'],
  },
  { what: 'of the type it asks for', jobs: [want(gpu(1, 'v100'))], create: ['c4'] },
  { what: 'two jobs with one GPU each share a host with two', jobs: times(2, gpu(1)), create: ['c3'] },
  { what: 'the third goes to the next host', jobs: times(3, gpu(1)), create: ['c3', 'c4'] },
  {
    what: 'what does not fit any more waits, and the hosts without GPUs stay off',
    jobs: times(5, gpu(1)),
    create: ['c3', 'c4'],
    says: /^waits for a host: of 4 hosts/,
  },
  {
    what: 'a typed and an untyped job use the same GPUs up',
    jobs: [want(gpu(2)), want(gpu(1, 'a100'))],
    create: ['c3'],
    says: /^waits for a host/,
  },
  { what: 'two hosts with two GPUs each', jobs: [want({ nodes: 2, ...gpu(2) })], create: ['c3', 'c4'] },
  {
    what: 'GPUs are free when a job has left some',
    jobs: [want(gpu(1))],
    hosts: { c3: half(1) },
    create: [],
    says: /placed on c3: there is room/,
  },
  { what: 'but not when jobs have all', jobs: [want(gpu(1))], hosts: { c3: half(0) }, create: ['c4'] },
  {
    what: 'a GPU host on the way is counted with all it will have',
    jobs: times(2, gpu(1)),
    hosts: { c3: { state: 'starting', node: { gresFree: { gpu: 0, 'gpu:a100': 0 } } } },
    create: [],
    says: /placed on c3 \(starting\)/,
  },
  {
    what: 'a GPU host that only is draining is opened again',
    jobs: [want(gpu(1))],
    hosts: { c3: { state: 'draining', machine: {} } },
    create: [],
    says: /placed on c3 \(opened again\)/,
  },
];

/** A working GPU host with one job that leaves so many of its two GPUs. */
function half(free: number): HostSketch {
  const gresFree = { gpu: free, 'gpu:a100': free };
  return { state: 'ready', node: { ...BUSY, cpusFree: 3, gresFree } };
}

const PLAIN_JOBS: readonly Case[] = [
  { what: 'a plain job takes a plain host', jobs: times(2, whole), nodes: GPU_FIRST, create: ['c2', 'c3'] },
  {
    what: 'and a GPU host only when there is no other',
    jobs: times(3, whole),
    nodes: GPU_FIRST,
    create: ['c2', 'c3', 'c1'],
  },
  {
    what: 'so the GPU job behind it still finds its host',
    jobs: [...times(2, whole), want({ ...whole, ...gpu(2, 'a100') })],
    nodes: GPU_FIRST,
    create: ['c2', 'c3', 'c1'],
    says: /^waits for c1 \(creating\)/,
  },
  {
    what: 'a GPU host that works anyway has room for a plain job: nothing new',
    jobs: [want({})],
    nodes: GPU_FIRST,
    hosts: { c1: { state: 'ready' } },
    create: [],
    says: /placed on c1: there is room/,
  },
  {
    what: 'of two working hosts with room the plain one is meant for the plain job, so the GPU stays free for the next',
    jobs: [want(whole), want({ ...whole, ...gpu(1) })],
    nodes: GPU_FIRST,
    hosts: { c1: { state: 'ready' }, c2: { state: 'ready' } },
    create: [],
    says: /placed on c1: there is room/,
  },
];

const FEATURES: readonly Case[] = [
  { what: 'a host with the feature', jobs: [want({ features: [['fast']] })], create: ['c3'] },
  { what: 'with all words of a set', jobs: [want({ features: [['fast', 'big']] })], create: ['c4'] },
  { what: 'any one of the sets', jobs: [want({ features: [['none'], ['big']] })], create: ['c4'] },
  {
    what: 'either: the first in the order of the hosts',
    jobs: [want({ features: [['fast'], ['slow']] })],
    create: ['c1'],
  },
  {
    what: 'several hosts, each with it',
    jobs: [want({ nodes: 2, ...whole, features: [['fast']] })],
    create: ['c3', 'c4'],
  },
  { what: 'features and GPUs', jobs: [want({ ...gpu(1), features: [['big']] })], create: ['c4'] },
  {
    what: 'a working host without it is not room',
    jobs: [want({ features: [['fast']] })],
    hosts: { c1: { state: 'ready' } },
    create: ['c3'],
  },
  {
    what: 'all or nothing: one of the two has work of its own',
    jobs: [running('c3'), want({ nodes: 2, ...whole, features: [['fast']] })],
    hosts: { c3: { state: 'ready', node: BUSY } },
    create: [],
    says: /^waits for 2 hosts at once/,
  },
];

const SIZES: readonly Case[] = [
  { what: 'a small job beside it on the large host', jobs: [want({ memoryMiB: 12_000 }), want({})], create: ['c4'] },
  { what: 'more memory than most hosts have', jobs: [want({ memoryMiB: 12_000 })], create: ['c4'] },
  { what: 'more CPUs on one host than most have', jobs: [want({ cpus: 6, cpusPerNode: 6 })], create: ['c4'] },
  { what: 'memory is used up', jobs: times(2, { memoryMiB: 8000 }), create: ['c1', 'c2'] },
  {
    what: 'two hosts of 6 CPUs: only one is so large',
    jobs: [want({ nodes: 2, cpus: 12, cpusPerNode: 6 })],
    create: [],
    says: /^can never fit: asks for 2 hosts, the queue can have 1 of that kind/,
  },
];

const NEVER: readonly Case[] = [
  { what: 'more GPUs than any host has', jobs: [want(gpu(4))], create: [], says: /^can never fit: no host has 4 gpu$/ },
  {
    what: 'a type nobody has',
    jobs: [want(gpu(1, 'h100'))],
    create: [],
    says: /^can never fit: no host has .*1 gpu:h100$/,
  },
  {
    what: 'a kind nobody has',
    jobs: [want({ gres: { fpga: 1 } })],
    create: [],
    says: /^can never fit: no host has 1 fpga$/,
  },
  {
    what: 'a feature nobody has',
    jobs: [want({ features: [['gold']] })],
    create: [],
    says: /^can never fit: no host has the features gold$/,
  },
  {
    what: 'words that are on different hosts',
    jobs: [want({ features: [['slow', 'big']] })],
    create: [],
    says: /no host has the features slow&big$/,
  },
  {
    what: 'GPUs and a feature on different hosts',
    jobs: [want({ ...gpu(1), features: [['slow']] })],
    create: [],
    says: /no host has 1 gpu and the features slow$/,
  },
  {
    what: 'memory and GPUs on different hosts',
    jobs: [want({ ...gpu(1, 'a100'), memoryMiB: 12_000 })],
    create: [],
    says: /no host has all it asks for together$/,
  },
  {
    what: 'three GPU hosts where there are two',
    jobs: [want({ nodes: 3, ...gpu(1) })],
    create: [],
    says: /asks for 3 hosts, the queue can have 2 of that kind$/,
  },
];

const LIMITS: readonly Case[] = [
  {
    what: 'MAX_NODES leaves room for one: the job that is first gets it, whatever kind of host it needs',
    jobs: [want(gpu(1)), want(whole)],
    limits: { maxNodes: 1 },
    create: ['c3'],
  },
  {
    what: 'MAX_NODES counts all kinds together',
    jobs: [want(whole), want(gpu(1)), want(whole)],
    limits: { maxNodes: 2 },
    create: ['c1', 'c3'],
  },
  {
    what: 'MAX_STARTING leaves room for one: the job that is first gets it, whatever kind of host it needs',
    jobs: [want(gpu(1)), want(whole)],
    limits: { maxStarting: 1 },
    create: ['c3'],
  },
];

const working: HostSketch = { state: 'ready', node: BUSY };

const NAMED: readonly Case[] = [
  { what: 'a job that names a host gets that one', jobs: [want({ hosts: ['c2'] })], create: ['c2'] },
  {
    what: 'also when another works and is empty',
    jobs: [want({ hosts: ['c2'] })],
    hosts: { c1: { state: 'ready' } },
    create: ['c2'],
    says: /^waits for c2 \(creating\)$/,
  },
  {
    what: 'it waits for a host that is taken, and none is created instead',
    jobs: [want({ ...whole, hosts: ['c1'] })],
    hosts: { c1: working },
    create: [],
    says: /^waits for c1: c1 is at work$/,
  },
  {
    what: 'a plain job before it leaves that host to it',
    jobs: [want(whole), want({ ...whole, hosts: ['c1'] })],
    create: ['c2', 'c1'],
  },
  {
    what: 'and takes it when there is no other',
    jobs: [...times(4, whole), want({ ...whole, hosts: ['c1'] })],
    create: ['c2', 'c3', 'c4', 'c1'],
    says: /^waits for c1: c1 is needed by jobs before it$/,
  },
  { what: 'two hosts by name', jobs: [want({ nodes: 2, hosts: ['c2', 'c4'] })], create: ['c2', 'c4'] },
  { what: 'three hosts, one of them by name', jobs: [want({ nodes: 3, hosts: ['c2'] })], create: ['c2', 'c1', 'c3'] },
  {
    what: 'more names than hosts asked for: all of them',
    jobs: [want({ nodes: 1, hosts: ['c2', 'c3'] })],
    create: ['c2', 'c3'],
  },
  {
    what: 'one that works, and a new one beside it',
    jobs: [want({ nodes: 2, hosts: ['c2'] })],
    hosts: { c2: { state: 'ready' } },
    create: ['c1'],
    says: /^waits for c1 \(creating\); placed on c2 \(ready\)$/,
  },
  {
    what: 'all or nothing: one of its two is taken, so none is created',
    jobs: [want({ nodes: 2, ...whole, hosts: ['c1', 'c2'] })],
    hosts: { c1: working },
    create: [],
    says: /^waits for c1 and c2: c1 is at work and c2 is needed by jobs before it$/,
  },
  { what: 'each job its own', jobs: [want({ hosts: ['c3'] }), want({ hosts: ['c1'] })], create: ['c3', 'c1'] },
  { what: 'two that share it', jobs: times(2, { hosts: ['c3'] }), create: ['c3'] },
  {
    what: 'one that is draining is opened again',
    jobs: [want({ hosts: ['c2'] })],
    hosts: { c2: { state: 'draining', machine: {} } },
    create: [],
    says: /placed on c2 \(opened again\)/,
  },
  {
    what: 'MAX_NODES is kept',
    jobs: [want({ nodes: 2, hosts: ['c2', 'c4'] }), want({ hosts: ['c3'] })],
    limits: { maxNodes: 2 },
    create: ['c2', 'c4'],
  },
  {
    what: 'a host that is not ours',
    jobs: [want({ hosts: ['x9'] })],
    create: [],
    says: /^nodes do not help: it asks for x9, which is none of ours$/,
  },
  {
    what: 'a host without what it asks for',
    jobs: [want({ ...gpu(1), hosts: ['c1'] })],
    create: [],
    says: /^can never fit: c1 has not all it asks for$/,
  },
];

for (const [group, cases] of Object.entries({
  GPUs: GPUS,
  'plain jobs': PLAIN_JOBS,
  features: FEATURES,
  'CPUs and memory': SIZES,
  'can never fit': NEVER,
  'jobs that name hosts': NAMED,
  limits: LIMITS,
})) {
  describe(`mixed pools: ${group}`, () => {
    for (const one of cases) {
      test(one.what, () => {
        const { steps, verdicts } = decide(one);
        const created = steps.filter((step) => step.kind === 'create').map((step) => step.host);
        const last = verdicts.at(-1)?.because ?? '';
        assert.deepEqual(created, one.create, last);
        if (one.says !== undefined) assert.match(last, one.says);
      });
    }
  });
}

test('a GPU host that a waiting GPU job counts on is not taken away, an idle plain one is', () => {
  const idleSince = NOW - 2 * (POOL.timing.idle ?? assert.fail());
  const idle: HostSketch = { state: 'ready', record: { idleSince } };
  const { steps } = decide({
    what: '',
    jobs: [job({ ask: gpu(2) })],
    hosts: { c1: idle, c3: idle },
    create: [],
  });
  const drained = steps.filter((step) => step.kind === 'drain').map((step) => step.host);
  assert.deepEqual(drained, ['c1']);
});
