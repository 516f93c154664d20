/**
 * Flapping: the planner against a small world that does everything it can to make it create and delete the same machine
 * again and again. Two laws: a machine is created only for something that was asked for since, and one that is taken
 * away is not created anew before the demand has changed: a job has come, or its begin time, or the hosts that a job of
 * several hosts waited for.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Job } from '../domain/job.ts';
import type { HostState } from '../domain/lifecycle.ts';
import type { Step } from '../domain/plan.ts';
import type { Pool } from '../domain/pool.ts';
import type { QueueClocks } from '../domain/snapshot.ts';
import { plan } from './plan.ts';
import { BUSY, job, MINUTE, NOW, POOL, SECOND, snapshot } from './snapshot.fixture.ts';

const TICK = 5 * SECOND;
const BOOT = 12;
const IDLE = 2 * MINUTE;

interface Work {
  /** Ticks from the start. */
  readonly at: number;
  readonly nodes: number;
  readonly ticks: number;
  readonly begin: number;
  readonly limited: boolean;
}

interface Host {
  state: HostState;
  since: number;
  /** Ticks until the machine runs. */
  boot: number;
  idleSince: number | null;
  born: number;
}

/** Runs the planner against the world. @returns what it created, in order, and the ticks at which demand changed */
function live(work: readonly Work[], pool: Partial<Pool>, ticks: number) {
  const hosts = new Map<string, Host>(
    POOL.hosts.map(({ name }) => [name, { state: 'free', since: NOW, boot: 0, idleSince: null, born: NOW }]),
  );
  const waiting = new Map<number, Work>();
  const runs = new Map<number, { readonly on: readonly string[]; readonly from: number; left: number; work: Work }>();
  let clocks: QueueClocks = { emptySince: null, noWaitingSince: null };
  const created: { readonly host: string; readonly tick: number }[] = [];
  const changes: number[] = [];
  let asked = 0;

  for (let tick = 0; tick < ticks; tick++) {
    const at = NOW + tick * TICK;
    for (const [n, one] of work.entries()) {
      if (one.at === tick) {
        waiting.set(n, one);
        asked += one.nodes;
      }
      if (one.at === tick || one.at + one.begin === tick) changes.push(tick);
    }
    for (const [n, run] of runs) {
      if (--run.left > 0) continue;
      runs.delete(n);
      // A job of several hosts that was blocked can have all it needs now: only then may an end call for a machine.
      const blocked = Math.max(0, ...[...waiting.values()].map((one) => one.nodes));
      if (blocked > 1) {
        changes.push(tick);
        asked += blocked - 1;
      }
    }
    const busy = new Set([...runs.values()].flatMap((run) => run.on));
    for (const [n, one] of waiting) {
      const free = [...hosts].filter(([name, host]) => host.state === 'ready' && !busy.has(name)).map(([name]) => name);
      if (one.at + one.begin > tick || free.length < one.nodes) continue;
      const on = free.slice(0, one.nodes);
      for (const name of on) busy.add(name);
      waiting.delete(n);
      runs.set(n, { on, from: at, left: one.ticks, work: one });
    }
    const { steps, clocks: after } = plan(look(at, tick));
    clocks = after.queue;
    for (const [name, host] of hosts) {
      host.idleSince = after.idleSince.get(name) ?? null;
      if (host.state === 'starting' && host.boot > 0) host.boot--;
    }
    for (const step of steps) carryOut(step, at, tick);
  }
  return { created, changes, asked };

  function look(at: number, tick: number) {
    const jobs: Job[] = [];
    for (const [n, run] of runs) {
      const base = job({ id: `j${n}`, state: 'running', code: 'R', reason: '', hosts: run.on });
      jobs.push({ ...base, startedAt: run.from, timeLimit: run.work.limited ? run.work.ticks * TICK : null });
    }
    for (const [n, one] of waiting) {
      const begin = one.at + one.begin;
      jobs.push(
        job({
          id: `j${n}`,
          submittedAt: NOW + one.at * TICK,
          timeLimit: one.limited ? one.ticks * TICK : null,
          notBefore: begin > tick ? NOW + begin * TICK : null,
          ask: { nodes: one.nodes, cpus: 4 * one.nodes, exclusive: true },
        }),
      );
    }
    const busy = new Set(jobs.flatMap((one) => one.hosts));
    const sketches = Object.fromEntries(
      [...hosts].map(([name, host]) => [
        name,
        {
          state: host.state,
          record: { since: host.since, idleSince: host.idleSince, bornAt: host.born },
          ...(busy.has(name)
            ? { node: BUSY }
            : host.state === 'joining'
              ? { node: { responding: true, registration: String(host.born) } }
              : {}),
          ...(host.state === 'starting'
            ? { machine: { state: host.boot > 0 ? ('starting' as const) : ('running' as const) } }
            : {}),
        },
      ]),
    );
    return snapshot(sketches, jobs, {
      at,
      batchReadAt: at,
      cloudReadAt: at,
      clocks,
      pool: { ...pool, timing: { ...POOL.timing, idle: IDLE, cleanup: IDLE } },
    });
  }

  /** Every step succeeds at once; only a boot takes its time. */
  function carryOut(step: Step, at: number, tick: number): void {
    const host = hosts.get(step.host ?? '');
    if (host === undefined) return;
    const to: HostState | null =
      step.kind === 'prepare' ? 'joining' : step.kind === 'join' ? 'ready' : step.kind === 'delete' ? 'free' : step.to;
    if (step.kind === 'create' && step.to !== null) {
      created.push({ host: step.host ?? '', tick });
      host.boot = BOOT;
      host.born = at;
    }
    if (to === null || to === host.state) return;
    host.state = to;
    host.since = at;
    host.idleSince = null;
  }
}

/** Times near the limits where rules change their mind: the idle time, the boot time, a tick more or less. */
const edge = fc.constantFrom(1, BOOT - 1, BOOT, BOOT + 1, 23, 24, 25, 26, 47, 48, 49);
const works = fc
  .array(
    fc.record({
      gap: fc.oneof(fc.constant(0), edge),
      nodes: fc.integer({ min: 1, max: 4 }),
      ticks: edge,
      begin: fc.constantFrom(0, 0, 0, 5, 24, 30),
      limited: fc.boolean(),
    }),
    { minLength: 1, maxLength: 10 },
  )
  .map((list) => {
    let at = 0;
    return list.map(({ gap, ...one }): Work => {
      at += gap;
      return { ...one, at };
    });
  });
const pools = fc.record({
  minNodes: fc.constantFrom(0, 0, 1),
  spareNodes: fc.constantFrom(0, 0, 1, 2),
  maxNodes: fc.constantFrom(4, 4, 3),
  gather: fc.constantFrom(0, 7 * SECOND),
  burstAfter: fc.constantFrom(0, MINUTE),
  billing: fc.constantFrom(undefined, { granularity: 10 * MINUTE, minimum: 0, lead: 30 * SECOND }),
});

/** `PLANNER_RUNS=10000` is the long form. */
const RUNS = { numRuns: Number(process.env.PLANNER_RUNS ?? 300) };

test('no machine is created but for what was asked for, and none twice without a change in demand', () => {
  fc.assert(
    fc.property(works, pools, (work, { minNodes, spareNodes, maxNodes, gather, burstAfter, billing }) => {
      const limits = { ...POOL.limits, minNodes, spareNodes, maxNodes };
      const pool: Partial<Pool> = { limits, patience: { gather, burstAfter }, ...(billing ? { billing } : {}) };
      const last = Math.max(...work.map((one) => one.at + one.begin));
      const { created, changes, asked } = live(work, pool, last + 400);
      assert.ok(
        created.length <= asked + spareNodes * (work.length + 1) + minNodes,
        `${created.length} machines for ${asked} hosts asked for`,
      );
      for (const [n, one] of created.entries()) {
        const before = created.slice(0, n).findLast((other) => other.host === one.host);
        if (before === undefined) continue;
        assert.ok(
          changes.some((tick) => tick > before.tick && tick <= one.tick),
          `${one.host} was created at tick ${before.tick} and at ${one.tick}; demand changed at ${changes}`,
        );
      }
    }),
    RUNS,
  );
});

test('a job every time a node has just been let go: at most one machine for each', () => {
  const ticks = 3;
  for (const gap of [20, 22, 24, 25, 26, 27, 28, 30, 36, 40, 44]) {
    const work = Array.from(
      { length: 40 },
      (_, i): Work => ({ at: i * gap, nodes: 1, ticks, begin: 0, limited: true }),
    );
    const { created } = live(work, {}, 40 * gap + 200);
    assert.ok(created.length <= 40, `gap ${gap}: ${created.length}`);
    if (gap * TICK < IDLE) assert.equal(created.length, 1, `gap ${gap}: the node is still there`);
  }
});

test('the number of nodes by schedule goes up and down: only what is missing is created', () => {
  const wide = live(
    [{ at: 0, nodes: 4, ticks: 10, begin: 0, limited: true }],
    { limits: { ...POOL.limits, minNodes: 2 } },
    500,
  );
  assert.equal(wide.created.length, 4, 'four for the job, of which two stay');
});
