/**
 * Laws of the planner, tried on made-up worlds, also impossible ones: whatever the two sides say, these hold.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HOST_STATES, type HostState, mayMove, ON_THE_WAY, WITH_MACHINE } from '../domain/lifecycle.ts';
import type { NodeState } from '../domain/node.ts';
import type { StepKind } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { plan } from './plan.ts';
import { type HostSketch, job, NOW, snapshot } from './snapshot.fixture.ts';

const NODE_STATES: readonly NodeState[] = ['idle', 'busy', 'draining', 'drained', 'down', 'unknown', 'absent'];
const HOSTS = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6'].map((name, i) => ({ name, ip: `10.77.0.${101 + i}` }));

const since = fc.integer({ min: 0, max: 4_000_000 }).map((age) => NOW - age);
const around = fc.integer({ min: -2_000_000, max: 2_000_000 }).map((ahead) => NOW + ahead);
const sketch = fc.record({
  state: fc.constantFrom(...HOST_STATES),
  record: fc.record({
    since,
    held: fc.boolean(),
    failures: fc.nat(3),
    retryAt: fc.option(since),
    idleSince: fc.option(since),
    missingSince: fc.option(since),
    drainedBy: fc.constantFrom('rule' as const, 'operator' as const, null),
  }),
  node: fc.record({
    state: fc.constantFrom(...NODE_STATES),
    closed: fc.constantFrom('ours' as const, 'theirs' as const, 'no' as const),
    responding: fc.boolean(),
    hasJob: fc.boolean(),
    inQueue: fc.boolean(),
    registration: fc.option(fc.constantFrom('a', 'b')),
    cpusFree: fc.nat(4),
    gres: fc.constantFrom<Readonly<Record<string, number>>>({}, { gpu: 2 }),
    gresFree: fc.constantFrom<Readonly<Record<string, number>>>({}, { gpu: 1 }),
    features: fc.constantFrom<readonly string[]>([], ['fast'], ['slow', 'ib']),
  }),
  machine: fc.option(
    fc.record({
      state: fc.constantFrom(
        'starting' as const,
        'running' as const,
        'stopping' as const,
        'failed' as const,
        'unknown' as const,
      ),
    }),
  ),
});

function sketchOf(made: unknown): HostSketch {
  return (made ?? { state: 'free' }) as HostSketch;
}

const anyJob = fc
  .record({
    state: fc.constantFrom('waiting' as const, 'waiting' as const, 'running' as const),
    helped: fc.constantFrom('yes' as const, 'yes' as const, 'no' as const, 'unknown' as const),
    tasks: fc.integer({ min: 1, max: 5 }),
    taskLimit: fc.option(fc.integer({ min: 1, max: 3 })),
    mayStart: fc.option(fc.integer({ min: 1, max: 3 })),
    submittedAt: fc.option(since),
    notBefore: fc.option(around),
    timeLimit: fc.option(fc.integer({ min: 0, max: 4_000_000 })),
    startedAt: fc.option(since),
    hosts: fc.constantFrom<readonly string[]>([], ['c1'], ['c2', 'c3']),
    ask: fc.record({
      nodes: fc.integer({ min: 0, max: 8 }),
      cpus: fc.integer({ min: 0, max: 40 }),
      cpusPerNode: fc.integer({ min: 0, max: 6 }),
      memoryMiB: fc.constantFrom(0, 1000, 9000),
      exclusive: fc.boolean(),
      gres: fc.constantFrom<Readonly<Record<string, number>>>({}, {}, { gpu: 1 }, { gpu: 3 }),
      features: fc.constantFrom<readonly (readonly string[])[]>([], [], [['fast']], [['fast', 'ib'], ['slow']]),
      hosts: fc.constantFrom<readonly string[]>([], [], [], ['c2'], ['c1', 'c4'], ['c3', 'x9']),
    }),
  })
  .map((changes) => job(changes));
const jobs = fc.array(anyJob, { maxLength: 12 });

const world: fc.Arbitrary<Snapshot> = fc
  .record({
    hosts: fc.array(sketch, { minLength: HOSTS.length, maxLength: HOSTS.length }),
    jobs,
    policy: fc.constantFrom('demand' as const, 'classic' as const),
    maxNodes: fc.integer({ min: 0, max: 6 }),
    minNodes: fc.integer({ min: 0, max: 3 }),
    spareNodes: fc.constantFrom(0, 0, 1, 3),
    patience: fc.constantFrom({ burstAfter: 0, gather: 0 }, { burstAfter: 600_000, gather: 5000 }),
    billing: fc.constantFrom(undefined, { granularity: 3_600_000, minimum: 0, lead: 60_000 }),
    maxStarting: fc.constantFrom(1, 2, 100),
    completeReads: fc.integer({ min: 1, max: 3 }),
    emptySince: fc.option(since),
    underWay: fc.subarray(HOSTS.map((host) => host.name)),
    unanswered: fc.dictionary(fc.constantFrom(...HOSTS.map((host) => host.name)), since),
    refused: fc.array(fc.subarray(HOSTS.map((host) => host.name)), { maxLength: 3 }),
    brake: fc.option(fc.record({ until: fc.option(since), kind: fc.constantFrom('quota' as const, 'boot' as const) })),
  })
  .map((w) =>
    snapshot(Object.fromEntries(HOSTS.map((host, i) => [host.name, sketchOf(w.hosts[i])])), w.jobs, {
      pool: {
        hosts: HOSTS,
        policy: w.policy,
        limits: {
          minNodes: Math.min(w.minNodes, w.maxNodes),
          spareNodes: w.spareNodes,
          maxNodes: w.maxNodes,
          maxStarting: w.maxStarting,
        },
        patience: w.patience,
        ...(w.billing === undefined ? {} : { billing: w.billing }),
      },
      completeReads: w.completeReads,
      clocks: { emptySince: w.emptySince, noWaitingSince: w.emptySince },
      underWay: new Set(w.underWay),
      unanswered: new Map(Object.entries(w.unanswered)),
      refused: new Map(w.refused.map((hosts, i) => [w.jobs[i]?.id ?? '', new Set(hosts)])),
      brake: {
        kind: w.brake?.kind ?? null,
        message: 'x',
        until: w.brake?.until ?? null,
        strikes: 0,
        bootFailures: 0,
      },
    }),
  );

/** `PLANNER_RUNS=10000` is the long form: 20 seconds. */
const RUNS = { numRuns: Number(process.env.PLANNER_RUNS ?? 2500) };

/** Steps that take a node away or put another machine in its place. */
const TAKING: ReadonlySet<StepKind> = new Set(['drain', 'delete', 'create']);
const STAYING: ReadonlySet<HostState> = new Set([...ON_THE_WAY, 'ready']);

function law(title: string, check: (s: Snapshot, p: ReturnType<typeof plan>) => void): void {
  test(title, () =>
    fc.assert(
      fc.property(world, (s) => check(s, plan(s))),
      RUNS,
    ),
  );
}

law('the same snapshot gives the same plan', (s, p) => assert.deepEqual(plan(s), p));

law('at most one step for a host, and none for a host with a call under way', (s, p) => {
  const hosts = p.steps.flatMap((step) => step.host ?? []);
  assert.equal(new Set(hosts).size, hosts.length);
  for (const step of p.steps) {
    const own = step.kind !== 'drain' || step.to !== null;
    if (step.host !== null && own) assert.ok(!s.underWay.has(step.host), `${step.kind} ${step.host}`);
  }
});

law('every move is one the lifecycle allows', (s, p) => {
  for (const step of p.steps) {
    const record = s.hosts.find((host) => host.name === step.host);
    if (record && step.to !== null) assert.ok(mayMove(record.state, step.to), `${record.state} -> ${step.to}`);
  }
});

law('a node with a job is never deleted', (s, p) => {
  for (const step of p.steps.filter((one) => one.kind === 'delete')) {
    const node = s.nodes.get(step.host ?? '');
    const dead = node?.state === 'down' || node?.state === 'absent';
    assert.ok(node?.hasJob !== true || dead, `${step.host} ${node?.state}: ${step.because}`);
  }
});

law('a held host is neither drained nor deleted', (s, p) => {
  for (const step of p.steps.filter((one) => one.kind === 'delete' || one.kind === 'drain')) {
    const record = s.hosts.find((host) => host.name === step.host);
    // Adopting and taking away again what a delete left behind is not a decision about a held node.
    if (record && WITH_MACHINE.has(record.state)) assert.equal(record.held, false, `${step.kind}: ${step.because}`);
  }
});

law('a person’s own drain is never undone', (s, p) => {
  for (const step of p.steps.filter((one) => one.kind === 'join' || one.kind === 'undrain')) {
    const node = s.nodes.get(step.host ?? '');
    if (step.kind === 'join') assert.notEqual(node?.closed, 'theirs');
  }
});

law('never above MAX_NODES, MAX_STARTING or a pause', (s, p) => {
  const fresh = p.steps.filter((step) => step.kind === 'create' && step.to !== null).length;
  if (fresh === 0) return;
  const machines = s.hosts.filter((host) => WITH_MACHINE.has(host.state)).length;
  const starting = s.hosts.filter((host) => ON_THE_WAY.has(host.state)).length;
  assert.ok(machines + fresh <= s.pool.limits.maxNodes);
  assert.ok(starting + fresh <= s.pool.limits.maxStarting);
  assert.ok(s.brake.kind === null || (s.brake.until !== null && s.brake.until <= s.at && fresh === 1));
});

law('nothing is drained or deleted before the second complete reading', (s, p) => {
  if (s.completeReads >= 2) return;
  assert.deepEqual(
    p.steps.filter((one) => one.kind === 'delete' || one.kind === 'drain'),
    [],
  );
});

law('a machine is created only behind a closed gate, and only where nobody works', (s, p) => {
  for (const step of p.steps.filter((one) => one.kind === 'create' && one.to !== null)) {
    const node = s.nodes.get(step.host ?? '');
    assert.equal(node?.closed, 'ours');
    assert.equal(node?.hasJob, false);
    assert.equal(node?.inQueue, true);
  }
});

law('every machine is created for a job that can use it (demand)', (s, p) => {
  const { minNodes, spareNodes = 0 } = s.pool.limits;
  if (s.pool.policy !== 'demand' || minNodes + spareNodes > 0) return;
  for (const step of p.steps.filter((one) => one.kind === 'create' && one.to !== null)) {
    const node = s.nodes.get(step.host ?? '');
    const users = p.verdicts.filter((one) => one.kind === 'creating' && one.hosts.includes(step.host ?? ''));
    assert.ok(users.length > 0, `${step.host} is created for nobody`);
    const can = users.some((verdict) => {
      const user = s.jobs.find((one) => one.id === verdict.job && one.state === 'waiting');
      if (user === undefined || node === undefined || user.helped === 'no' || (user.notBefore ?? 0) > s.at)
        return false;
      const { ask } = user;
      return (
        node.cpus >= ask.cpusPerNode &&
        node.memoryMiB >= ask.memoryMiB &&
        Object.entries(ask.gres ?? {}).every(([kind, n]) => (node.gres?.[kind] ?? 0) >= n) &&
        (ask.features?.length ? ask.features.some((all) => all.every((word) => node.features?.includes(word))) : true)
      );
    });
    assert.ok(can, `${step.host} is created for ${users.map((one) => one.job)}, which cannot use it`);
  }
});

law('a job that names hosts is placed on all of them, or on none', (s, p) => {
  for (const verdict of p.verdicts) {
    const named = s.jobs.find((one) => one.id === verdict.job)?.ask.hosts ?? [];
    const placed = verdict.hosts.length > 0 && verdict.kind !== 'blocked';
    if (placed) for (const host of named) assert.ok(verdict.hosts.includes(host), `${verdict.because}, not ${host}`);
  }
});

law('no job is placed where the batch system did not start it', (s, p) => {
  for (const verdict of p.verdicts)
    for (const host of s.refused?.get(verdict.job) ?? []) assert.ok(!verdict.hosts.includes(host), verdict.because);
});

law('nothing is taken from a node with a job: no drain, no delete, no new machine', (s, p) => {
  for (const step of p.steps) {
    const node = s.nodes.get(step.host ?? '');
    if (node?.hasJob !== true || node.state === 'down' || node.state === 'absent') continue;
    // With no move: the gate of a host is closed, or a create whose answer was lost is asked again.
    const stays = step.to === null && step.kind !== 'delete';
    assert.ok(stays || !TAKING.has(step.kind), `${step.kind} ${step.host} ${node.state}: ${step.because}`);
  }
});

law('a plan that will change by itself says when, and that is later', (s, p) => {
  assert.ok(p.changesAt === null || p.changesAt > s.at);
});

/** Machines that are there or coming once the plan is carried out. */
function staying(s: Snapshot, p: ReturnType<typeof plan>): number {
  const moved = new Map(
    p.steps.flatMap((step) => (step.host !== null && step.to !== null ? [[step.host, step.to]] : [])),
  );
  return s.hosts.filter((host) => STAYING.has(moved.get(host.name) ?? host.state)).length;
}

test('monotone: further jobs at the end of the queue never mean fewer machines', () =>
  fc.assert(
    fc.property(world, fc.array(anyJob, { minLength: 1, maxLength: 4 }), (s, more) => {
      const larger = { ...s, jobs: [...s.jobs, ...more] };
      assert.ok(staying(larger, plan(larger)) >= staying(s, plan(s)));
    }),
    RUNS,
  ));

test('monotone: further jobs like the others never mean fewer machines, wherever they stand', () =>
  fc.assert(
    fc.property(world, anyJob, fc.nat(6), fc.integer({ min: 1, max: 6 }), (s, like, many, more) => {
      const alike = (n: number) => ({ ...s, jobs: Array.from({ length: n }, (_, i) => ({ ...like, id: String(i) })) });
      const [small, large] = [alike(many), alike(many + more)];
      assert.ok(staying(large, plan(large)) >= staying(small, plan(small)));
    }),
    RUNS,
  ));

law('every waiting job gets exactly one verdict', (s, p) => {
  assert.deepEqual(
    p.verdicts.map((v) => v.job),
    s.jobs.filter((one) => one.state === 'waiting').map((one) => one.id),
  );
});
