/**
 * The command line against a service with two pools: all of them one after another, one by name, and orders that find
 * their pool.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { test } from 'node:test';
import { manualClock, systemClock } from '../lib/clock.ts';
import { quietLog } from '../lib/log.ts';
import { apiClient } from '../service/client.ts';
import { aJob, aNode, aReading, aStatus, type FakeControl, fakeControl, NOW } from '../service/fake-control.ts';
import { serve } from '../service/server.ts';
import { cli } from './cli.ts';

interface Bench {
  readonly cpu: FakeControl;
  readonly gpu: FakeControl;
  call(...argv: string[]): Promise<{ code: number; out: string; err: string }>;
}

async function bench(work: (bench: Bench) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hc-pools-'));
  const socket = join(folder, 'api.sock');
  const [cpu, gpu] = [fakeControl(), fakeControl()];
  cpu.show.status = aStatus({ pool: 'cpu', queue: 'cloud' });
  gpu.show.status = aStatus({
    pool: 'gpu',
    queue: 'gpu',
    tally: { PD: 7 },
    cloud: aReading({ kind: 'vcp', ok: false, failingSince: NOW - 30_000, message: 'token refused' }),
    clouds: [
      { name: 'campus', reading: aReading({ kind: 'command' }), brake: null, nodes: 2, maxNodes: 2 },
      {
        name: 'aws',
        reading: aReading({ kind: 'vcp', ok: false, failingSince: NOW - 30_000, message: 'token refused' }),
        brake: { kind: 'capacity', message: 'no capacity', until: NOW + 60_000 },
        nodes: 1,
        maxNodes: 4,
      },
    ],
    usage: {
      day: { nodeHours: 31.42, money: 33.1 },
      month: { nodeHours: 212.5, money: 190.2 },
      dayEnds: NOW + 5 * 3_600_000,
      monthEnds: NOW + 90 * 3_600_000,
    },
    budget: [
      { cloud: null, what: 'nodes', used: 3, limit: 6, endsAt: null, state: 'ok' },
      { cloud: 'aws', what: 'money per day', used: 33.1, limit: 40, endsAt: NOW + 5 * 3_600_000, state: 'warning' },
      {
        cloud: 'aws',
        what: 'money per month',
        used: 190.2,
        limit: 190,
        endsAt: NOW + 90 * 3_600_000,
        state: 'stopped',
      },
    ],
  });
  gpu.show.nodes = [aNode({ host: 'g1', ip: '10.0.0.1' })];
  gpu.show.jobs = [aJob({ id: '40' })];
  gpu.show.explain = [{ kind: 'job', name: '40', text: 'Job 40 waits for g1.' }];
  const pools = [
    { name: 'cpu', control: cpu },
    { name: 'gpu', control: gpu },
  ];
  try {
    await using _service = await serve(pools, { socket, group: null, log: quietLog, clock: systemClock });
    await work({
      cpu,
      gpu,
      async call(...argv) {
        const seen = { out: '', err: '' };
        const keep = (side: 'out' | 'err') =>
          new Writable({
            write(chunk, _encoding, done) {
              seen[side] += chunk;
              done();
            },
          });
        const nothing = async () => 0;
        const code = await cli(argv, {
          in: new PassThrough(),
          out: keep('out'),
          err: keep('err'),
          color: false,
          columns: 120,
          isTerminal: false,
          clock: manualClock(NOW),
          version: '0.1.0',
          defaults: { socket, user: 'taro' },
          openClient: (path) => apiClient(path, systemClock),
          actions: { run: nothing, check: nothing, render: nothing, lab: nothing, test: nothing },
        });
        return { code, ...seen };
      },
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('views show all pools one after another, or the one that is named', () =>
  bench(async ({ call }) => {
    for (const view of ['status', 'nodes', 'jobs', 'plan']) {
      const all = await call(view);
      assert.equal(all.code, 0, all.err);
      assert.match(all.out, /^== pool cpu\n(.*\n)*\n== pool gpu\n/, view);
      const one = await call(view, '--pool', 'gpu');
      assert.doesNotMatch(one.out, /== pool/);
      assert.ok(all.out.endsWith(`== pool gpu\n${one.out}`), `${view}\n${all.out}\n${one.out}`);
    }
    assert.match((await call('status', '--pool', 'gpu')).out, /^7 PD\n0 R\n/);
    const none = await call('status', '--pool', 'gup');
    assert.deepEqual([none.code, none.err], [1, 'there is no pool gup; the service has cpu and gpu\n']);
    assert.equal((await call('status', '--pool', 'a b')).code, 2);
  }));

test('status of several clouds: each of them, its pause and trouble, what was used and what is left', () =>
  bench(async ({ call }) => {
    const { out } = await call('status', '--pool', 'gpu');
    for (const line of [
      'clouds   campus 2 of 2, aws 1 of 4',
      'used     today 31.4 node hours for 33.1, this month 212.5 node hours for 190.2',
      'budget   3 of 6 nodes',
      'budget   aws: 33.1 of 40 money per day (82 %); begins anew in 5 h',
      'budget   aws: 190.2 of 190 money per month (100 %); no new nodes, those that work go on',
      'trouble  No good answer from the cloud aws (vcp) for 30 s',
      'no node is created, drained or deleted there; the others go on.',
      'pause    No new nodes in aws for 60 s more (capacity): no capacity',
      'campus 2 s ago, aws 2 s ago',
    ])
      assert.ok(out.includes(line), `${line}\nin\n${out}`);
  }));

test('--json tells the pools apart', () =>
  bench(async ({ call, cpu, gpu }) => {
    assert.deepEqual(JSON.parse((await call('status', '--json')).out), {
      pools: [
        { pool: 'cpu', view: cpu.status() },
        { pool: 'gpu', view: gpu.status() },
      ],
    });
    assert.deepEqual(JSON.parse((await call('nodes', '--json', '--pool', 'gpu')).out), gpu.nodes());
  }));

test('a pool that cannot be read does not keep the other from its plan', () =>
  bench(async ({ call, cpu }) => {
    cpu.show.plan = async () => {
      throw new Error('slurmctld is down');
    };
    const { code, out } = await call('plan');
    assert.equal(code, 1);
    assert.match(
      out,
      /== pool cpu\nNo plan, because there is no complete reading: slurmctld is down\n\n== pool gpu\n.*creating/s,
    );
    assert.equal((await call('plan', '--pool', 'gpu')).code, 0);
  }));

test('jobs and hosts are found in their pool', () =>
  bench(async ({ call, cpu, gpu }) => {
    assert.match((await call('explain', '40')).out, /Job 40 waits for g1/);
    assert.match((await call('explain', '18')).out, /Job 18 waits for c2/);
    assert.match((await call('explain', '99')).err, /No queue has a job 99, and no pool a host 99/);
    assert.equal((await call('explain', '40', '--pool', 'cpu')).code, 1);
    for (const order of ['hold', 'drain', 'release']) assert.equal((await call(order, 'g1')).code, 0);
    assert.deepEqual(gpu.told, ['hold g1 by taro', 'drain g1 by taro', 'release g1 by taro']);
    assert.deepEqual(cpu.told, []);
    assert.match((await call('hold', 'x9')).err, /x9 is no host of any pool; their hosts are c1, c2 and g1/);
    assert.match((await call('hold', 'g1', '--pool', 'cpu')).err, /g1 is no host of this pool/);
  }));

test('orders without a host go to all pools, or to the one that is named', () =>
  bench(async ({ call, cpu, gpu }) => {
    assert.equal((await call('poke')).out, 'done: poke\n');
    assert.equal((await call('cleanup', '--yes', '--pool', 'gpu')).code, 0);
    assert.equal((await call('release')).code, 0);
    assert.deepEqual(cpu.told, ['poke', 'release everything by taro']);
    assert.deepEqual(gpu.told, ['poke', 'cleanup by taro', 'release everything by taro']);
    gpu.refuse = 'not now';
    const { code, err } = await call('cleanup', '--yes');
    assert.deepEqual([code, err], [1, 'cpu: done: cleanup by taro; gpu: not now\n']);
  }));

test('events of all pools in one order, each with its pool', () =>
  bench(async ({ call, cpu, gpu }) => {
    cpu.emit({ id: 1, text: 'of cpu' });
    gpu.emit({ id: 2, text: 'of gpu' });
    for (const both of [cpu, gpu]) both.emit({ id: 3, text: 'of the service' });
    const { out } = await call('events');
    assert.match(out, /cpu: of cpu\n.*gpu: of gpu\n.*- +of the service\n$/);
    assert.match((await call('events', '--pool', 'gpu')).out, /^\S+ \S+ +info +- +of gpu\n.* of the service\n$/);
  }));
