/**
 * The contract of the batch port: the fake and every adapter run it, each on one world that lives for all cases.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { BatchError, type BatchErrorKind } from '../domain/errors.ts';
import type { Job } from '../domain/job.ts';
import type { BatchNode } from '../domain/node.ts';
import { type Batch, MARK, type QueueStatus } from './batch.ts';

export interface WorldJob {
  /** Default 1. */
  readonly nodes?: number;
  /** CPUs of the whole job; default 1 per node. */
  readonly cpus?: number;
  /** Memory on each node, MiB; default 100. */
  readonly memoryMiB?: number;
  readonly exclusive?: boolean;
  readonly hold?: boolean;
  /** So many tasks. */
  readonly array?: number;
  /** So many of them at one time. */
  readonly taskLimit?: number;
  readonly name?: string;
}

/** One batch system with at least three hosts of at least 2 CPUs and 500 MiB, none of which runs at first. */
export interface BatchWorld {
  readonly batch: Batch;
  readonly queue: string;
  /** In natural order. */
  readonly hosts: readonly string[];
  /** A name the batch system has never heard of. */
  readonly stranger: string;
  /** Jobs run until they are finished by `finish`. @returns the id the user sees */
  submit(job: WorldJob): Promise<string>;
  finish(id: string): Promise<void>;
  /** A machine comes up: the host's daemon starts. */
  startNode(host: string): Promise<void>;
  /** It is gone without a word. */
  stopNode(host: string): Promise<void>;
  /** With null, the person opens it again. */
  personDrain(host: string, reason: string | null): Promise<void>;
  stopServer(): Promise<void>;
  startServer(): Promise<void>;
  /** Reads until it is so; bounded, and fails with the last reading. */
  waitFor(what: string, so: (status: QueueStatus) => boolean): Promise<QueueStatus>;
  dispose(): Promise<void>;
}

type Body = (world: BatchWorld) => Promise<void>;

const CASES = {
  'the version is one line of a known family': async ({ batch }) => {
    const version = await batch.checkVersion();
    assert.equal(version.family, batch.family);
    assert.match(version.text, /^[^\n]*\d[^\n]*$/);
  },

  'an empty queue is empty, and every host asked for is there, in the order asked': async (world) => {
    const asked = [...world.hosts].reverse();
    const status = await world.batch.getStatus(world.queue, asked);
    assert.deepEqual([status.jobs, status.tally, status.unreadable], [[], {}, []]);
    assert.deepEqual(
      status.nodes.map(({ host }) => host),
      asked,
    );
    assert.ok(status.took >= 0);
  },

  'a host that never had a machine is down, has no job and never registered': async (world) => {
    const node = await look(world, host(world, 2));
    const { state, responding, hasJob, registration, inQueue, closed } = node;
    assert.deepEqual(
      { state, responding, hasJob, registration, inQueue, closed },
      { state: 'down', responding: false, hasJob: false, registration: null, inQueue: true, closed: 'no' },
    );
    assert.ok(node.cpus >= 2 && node.memoryMiB >= 500, JSON.stringify(node));
  },

  'a host the batch system does not know is absent and disturbs no other': async (world) => {
    const { nodes } = await world.batch.getStatus(world.queue, [world.stranger, host(world, 0)]);
    assert.deepEqual(
      nodes.map(({ host: name, state, hasJob, inQueue }) => [name, state === 'absent', hasJob, inQueue]),
      [
        [world.stranger, true, false, false],
        [host(world, 0), false, false, true],
      ],
    );
  },

  'a queue that does not exist is an error, not an empty queue': async (world) => {
    await rejects(world.batch.getStatus('no-such-queue', world.hosts), 'no-queue');
  },

  'no hosts is no change': async ({ batch }) => {
    assert.deepEqual(await batch.joinCluster([]), []);
    assert.deepEqual(await batch.leaveCluster([], 'nothing'), []);
  },

  'a host without a machine can be closed, with our mark and the reason': async (world) => {
    const [h0, h1, h2] = world.hosts;
    assert.ok(h0 && h1 && h2);
    const outcomes = await world.batch.leaveCluster([h2, world.stranger, h0, h1], 'no machine yet');
    assert.deepEqual(
      outcomes.map(({ host: name, result }) => [name, result]),
      [
        [h2, 'done'],
        [world.stranger, 'failed'],
        [h0, 'done'],
        [h1, 'done'],
      ],
    );
    assert.notEqual(outcomes[1]?.message, '');
    const node = await look(world, h1);
    assert.deepEqual([node.closed, node.state, node.hasJob], ['ours', 'down', false]);
    assert.ok(node.reason.startsWith(MARK) && node.reason.includes('no machine yet'), node.reason);
  },

  'closing again changes nothing': async (world) => {
    const reason = (await look(world, host(world, 0))).reason;
    const [outcome] = await world.batch.leaveCluster([host(world, 0)], 'another reason');
    assert.equal(outcome?.result, 'done');
    assert.equal((await look(world, host(world, 0))).reason, reason);
  },

  'a host whose daemon never registered does not join, and stays closed': async (world) => {
    const [outcome] = await world.batch.joinCluster([host(world, 0)]);
    assert.equal(outcome?.result, 'not-yet');
    assert.notEqual(outcome?.message, '');
    assert.equal((await look(world, host(world, 0))).closed, 'ours');
  },

  'a closed host that registers stays closed and gets no job': async (world) => {
    const name = host(world, 0);
    const id = await world.submit({});
    await world.startNode(name);
    const status = await world.waitFor('registered', (now) => nodeOf(now, name).registration !== null);
    const ready = await world.waitFor('answers', (now) => nodeOf(now, name).responding);
    assert.equal(nodeOf(ready, name).closed, 'ours');
    assert.equal(jobOf(status, id)?.state, 'waiting');
    const [outcome] = await world.batch.leaveCluster([name], 'still closed');
    assert.equal(outcome?.result, 'done');
    assert.equal(nodeOf(await world.waitFor('closed', () => true), name).hasJob, false);
    assert.equal(jobOf(ready, id)?.helped, 'yes', 'a further node would let it start');
    await world.finish(id);
  },

  'a host that registered joins at once, and joining again changes nothing': async (world) => {
    const name = host(world, 0);
    for (let i = 0; i < 2; i++) {
      const outcomes = await world.batch.joinCluster([name, host(world, 1)]);
      assert.deepEqual(
        outcomes.map(({ result }) => result),
        ['done', 'not-yet'],
      );
      const node = await look(world, name);
      assert.deepEqual([node.state, node.closed, node.responding, node.hasJob], ['idle', 'no', true, false]);
      assert.deepEqual([node.cpusFree, node.memoryFreeMiB], [node.cpus, node.memoryMiB]);
    }
  },

  'a job runs on an open host, which is busy then': async (world) => {
    const name = host(world, 0);
    const id = await world.submit({ name: 'first', memoryMiB: 200 });
    const status = await world.waitFor('runs', (now) => jobOf(now, id)?.state === 'running');
    const job = jobOf(status, id);
    assert.deepEqual([job?.hosts, job?.name, job?.tasks, job?.array, job?.because], [[name], 'first', 1, null, '']);
    assert.ok(job && (status.tally[job.code] ?? 0) === 1, JSON.stringify(status.tally));
    const node = nodeOf(status, name);
    assert.deepEqual([node.state, node.hasJob, node.jobs], ['busy', true, [id]]);
    assert.ok(node.cpusFree < node.cpus, 'some of its CPUs are taken');
    await world.finish(id);
    await world.waitFor('is idle again', (now) => nodeOf(now, name).state === 'idle' && now.jobs.length === 0);
  },

  'closing a host with a job lets the job run on, and opening it lets others in': async (world) => {
    const name = host(world, 0);
    const first = await world.submit({});
    await world.waitFor('runs', (now) => jobOf(now, first)?.state === 'running');
    assert.equal((await world.batch.leaveCluster([name], 'not wanted'))[0]?.result, 'done');
    const second = await world.submit({});
    const closed = await world.waitFor('second is looked at', (now) => jobOf(now, second) !== undefined);
    assert.deepEqual([nodeOf(closed, name).state, nodeOf(closed, name).closed], ['draining', 'ours']);
    assert.deepEqual([jobOf(closed, first)?.state, jobOf(closed, second)?.state], ['running', 'waiting']);
    assert.equal((await world.batch.joinCluster([name]))[0]?.result, 'done');
    const open = await world.waitFor('second runs', (now) => jobOf(now, second)?.state === 'running');
    assert.deepEqual([nodeOf(open, name).state, nodeOf(open, name).closed], ['busy', 'no']);
    assert.equal(jobOf(open, first)?.state, 'running');
    await world.finish(first);
    await world.finish(second);
    await world.waitFor('is idle again', (now) => nodeOf(now, name).state === 'idle' && now.jobs.length === 0);
  },

  'a person who closed a host is not overruled, and the reason stays': async (world) => {
    const name = host(world, 0);
    await world.personDrain(name, 'fan broken = State=IDLE?');
    const before = await look(world, name);
    assert.deepEqual([before.closed, before.reason], ['theirs', 'fan broken = State=IDLE?']);
    assert.equal((await world.batch.leaveCluster([name], 'not wanted'))[0]?.result, 'left-alone');
    assert.equal((await world.batch.joinCluster([name]))[0]?.result, 'left-alone');
    const node = await look(world, name);
    assert.deepEqual([node.closed, node.reason, node.state], ['theirs', 'fan broken = State=IDLE?', 'drained']);
    await world.personDrain(name, null);
    await world.waitFor('is idle again', (now) => nodeOf(now, name).state === 'idle');
  },

  'a person who closes a host that we closed has the last word': async (world) => {
    const name = host(world, 0);
    await world.batch.leaveCluster([name], 'not wanted');
    await world.personDrain(name, 'mine now');
    const [outcome] = await world.batch.joinCluster([name]);
    assert.equal(outcome?.result, 'left-alone');
    assert.match(outcome?.message ?? '', /mine now/);
    assert.equal((await look(world, name)).closed, 'theirs');
    await world.personDrain(name, null);
    await world.waitFor('is idle again', (now) => nodeOf(now, name).state === 'idle');
  },

  'a held job waits, nodes do not help it, and a sentence says why': async (world) => {
    const id = await world.submit({ hold: true });
    const status = await world.waitFor('is there', (now) => jobOf(now, id) !== undefined);
    const job = jobOf(status, id);
    assert.deepEqual([job?.state, job?.helped], ['waiting', 'no']);
    assert.match(job?.because ?? '', /held/);
    await world.finish(id);
  },

  'what a waiting job asks for is known': async (world) => {
    const two = await world.submit({ nodes: 2, cpus: 4, memoryMiB: 300, exclusive: true });
    const status = await world.waitFor('is there', (now) => jobOf(now, two) !== undefined);
    const job = jobOf(status, two);
    assert.ok(job && job.ask.cpusPerNode >= 1, JSON.stringify(job));
    assert.deepEqual(
      [job.state, job.ask.nodes, job.ask.cpus, job.ask.memoryMiB, job.ask.exclusive, job.hosts],
      ['waiting', 2, 4, 300, true, []],
    );
    assert.equal(job.helped, 'yes');
    await world.finish(two);
  },

  'array tasks are counted one by one, and the limit of the array is known': async (world) => {
    const id = await world.submit({ array: 6, taskLimit: 1, memoryMiB: 100 });
    const status = await world.waitFor('one runs', (now) =>
      now.jobs.some((job) => job.array === id && job.state === 'running'),
    );
    const jobs = status.jobs.filter((job) => job.array === id);
    const count = (state: Job['state']): number =>
      jobs.filter((job) => job.state === state).reduce((sum, job) => sum + job.tasks, 0);
    assert.deepEqual([count('running'), count('waiting')], [1, 5]);
    assert.equal(
      Object.values(status.tally).reduce((sum, n) => sum + n, 0),
      6,
    );
    assert.ok(
      jobs.every((job) => job.state === 'running' || job.taskLimit === 1),
      JSON.stringify(jobs),
    );
    assert.equal(new Set(jobs.map((job) => job.id)).size, jobs.length, 'ids are unique');
    await world.finish(id);
    await world.waitFor('is idle again', (now) => now.jobs.length === 0 && !nodeOf(now, host(world, 0)).hasJob);
  },

  'jobs come highest priority first': async (world) => {
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.push(await world.submit({ hold: i === 0, nodes: 2 }));
    const status = await world.waitFor('all are there', (now) => now.jobs.length === 3);
    const priorities = status.jobs.map((job) => job.priority);
    assert.deepEqual(
      priorities,
      [...priorities].sort((a, b) => b - a),
    );
    assert.equal(status.jobs.at(-1)?.id, ids[0], 'the held one is last');
    for (const id of ids) await world.finish(id);
    await world.waitFor('is empty', (now) => now.jobs.length === 0);
  },

  'a line to the owner of a job does no harm': async (world) => {
    const id = await world.submit({ nodes: 3 });
    await world.waitFor('is there', (now) => jobOf(now, id) !== undefined);
    await world.batch.tell?.(id, 'nodes are on their way');
    await world.batch.tell?.(id, 'nodes are there');
    await world.finish(id);
    await world.waitFor('is empty', (now) => now.jobs.length === 0);
  },

  'a lost node is down, can be closed, and its next life has another registration': async (world) => {
    const name = host(world, 0);
    const first = (await look(world, name)).registration;
    await world.stopNode(name);
    const lost = await world.waitFor('is missed', (now) => nodeOf(now, name).state === 'down');
    assert.deepEqual([nodeOf(lost, name).responding, nodeOf(lost, name).hasJob], [false, false]);
    assert.equal((await world.batch.leaveCluster([name], 'machine gone'))[0]?.result, 'done');
    assert.equal((await world.batch.joinCluster([name]))[0]?.result, 'not-yet');
    await world.startNode(name);
    const back = await world.waitFor('is back', (now) => {
      const node = nodeOf(now, name);
      return node.responding && node.registration !== first && node.registration !== null;
    });
    assert.equal(nodeOf(back, name).closed, 'ours');
    assert.equal((await world.batch.joinCluster([name]))[0]?.result, 'done');
    assert.equal((await look(world, name)).state, 'idle');
  },

  'a batch system that does not answer is an error in every call, never an empty answer': async (world) => {
    await world.stopServer();
    try {
      await rejects(world.batch.getStatus(world.queue, world.hosts), 'silent');
      await rejects(world.batch.joinCluster([host(world, 0)]), 'silent');
      await rejects(world.batch.leaveCluster([host(world, 0)], 'not wanted'), 'silent');
    } finally {
      await world.startServer();
    }
    await world.waitFor('answers again', (now) => nodeOf(now, host(world, 0)).state === 'idle');
  },

  'a signal that was given ends the call': async (world) => {
    const signal = AbortSignal.abort();
    await rejects(world.batch.getStatus(world.queue, world.hosts, signal), 'silent');
  },
} satisfies Record<string, Body>;

export type BatchCase = keyof typeof CASES;

/**
 * @param makeWorld called once; the cases run one after another on it, in their order
 * @param skips cases that cannot be run, each with its reason; a `string` skips all of them
 */
export function batchContract(
  name: string,
  makeWorld: () => Promise<BatchWorld>,
  skips: Partial<Record<BatchCase, string>> | string = {},
): void {
  const all = typeof skips === 'string' ? skips : undefined;
  describe(`the batch contract: ${name}`, { ...(all === undefined ? {} : { skip: all }) }, () => {
    let world: BatchWorld | null = null;
    before(async () => {
      if (all === undefined) world = await makeWorld();
    });
    after(() => world?.dispose());
    for (const [title, body] of Object.entries(CASES) as [BatchCase, Body][]) {
      const skip = typeof skips === 'string' ? skips : skips[title];
      test(title, { ...(skip === undefined ? {} : { skip }) }, async () => {
        assert.ok(world, 'the world was made');
        await body(world);
      });
    }
  });
}

function host(world: BatchWorld, index: number): string {
  const name = world.hosts[index];
  assert.ok(name !== undefined, `the world has host number ${index}`);
  return name;
}

async function look(world: BatchWorld, name: string): Promise<BatchNode> {
  return nodeOf(await world.batch.getStatus(world.queue, [name]), name);
}

function nodeOf(status: QueueStatus, name: string): BatchNode {
  const node = status.nodes.find((one) => one.host === name);
  assert.ok(node, `no node ${name}`);
  return node;
}

function jobOf(status: QueueStatus, id: string): Job | undefined {
  return status.jobs.find((job) => job.id === id);
}

async function rejects(call: Promise<unknown>, kind: BatchErrorKind): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof BatchError, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, /^[^\n]+$/, 'one line');
    return true;
  });
}
