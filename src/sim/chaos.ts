/**
 * Chaos: one seeded history of everything that can go wrong at once (in a world of fakes, with its own time), and an
 * oracle that watches the world, not the service.
 */
import type { CloudErrorKind } from '../domain/errors.ts';
import { makeWorld, type World } from './world.ts';

export interface ChaosResult {
  readonly seed: number;
  /** What must never happen and did; empty = all well. */
  readonly violations: readonly string[];
  /** What was done to the service, in order, for reading a failure. */
  readonly history: readonly string[];
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Deterministic numbers from 0 to 1 (mulberry32). */
function dice(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Two hours of trouble, then peace; at the end everything must be as if nothing had been. */
export async function chaos(seed: number): Promise<ChaosResult> {
  const roll = dice(seed);
  const pick = <T>(of: readonly [T, ...T[]]): T => of[Math.floor(roll() * of.length)] ?? of[0];
  const history: string[] = [];
  const violations: string[] = [];
  let deadly = 0;
  const world = makeWorld({
    hosts: 3 + Math.floor(roll() * 4),
    bootTime: pick([10 * SECOND, 45 * SECOND, 3 * MINUTE]),
    dies: (what) => {
      if (roll() >= deadly) return false;
      history.push(`dies ${what}`);
      return true;
    },
    pool: {
      policy: pick(['demand', 'demand', 'classic']),
      timing: {
        cleanup: 5 * MINUTE,
        idle: pick([2 * MINUTE, 5 * MINUTE]),
        boot: 6 * MINUTE,
        prepare: MINUTE,
        join: 2 * MINUTE,
        stop: 10 * MINUTE,
      },
    },
  });
  watch(world, violations);
  const host = () => `c${1 + Math.floor(roll() * world.pool.hosts.length)}`;
  const note = (what: string) => history.push(`${Math.round(world.clock.monotonic() / SECOND)} s ${what}`);
  let submitted = 0;

  for (let round = 0; round < 60; round++) {
    deadly = roll() < 0.15 ? 0.05 : 0;
    const what = roll();
    if (what < 0.35) {
      const spec = { nodes: roll() < 0.2 ? 2 : 1, exclusive: roll() < 0.6 };
      world.submit(spec, Math.ceil(roll() * 8) * MINUTE);
      submitted++;
      note(`job ${JSON.stringify(spec)}`);
    } else if (what < 0.6) note(`cloud ${trouble(world, roll, pick)}`);
    else if (what < 0.68) {
      const kind = pick(['silent', 'garbled', 'permission', 'refused'] as const);
      world.batch.fail(kind);
      note(`batch ${kind}`);
    } else if (what < 0.78) world.batch.fail(null);
    else if (what < 0.84) {
      const name = host();
      world.bootstrap.fail(
        name,
        pick(['mount', 'identity', 'refused', 'unreachable'] as const),
        1 + Math.floor(roll() * 3),
      );
      note(`bootstrap fails on ${name}`);
    } else if (what < 0.88) {
      const name = host();
      world.batch.personDrain(name, roll() < 0.5 ? 'a person looks at it' : null);
      note(`a person drains or opens ${name}`);
    } else if (what < 0.92) {
      await world.restart();
      note('restart');
    } else if (what < 0.96) {
      const name = host();
      world.operator((control) => control.drain(name, 'operator'));
      note(`operator drains ${name}`);
    } else {
      world.operator((control) => control.release(null, 'operator'));
      note('operator releases creation');
    }
    await world.pass(Math.ceil(roll() * 4) * MINUTE * 0.5);
  }

  deadly = 0;
  world.cloud.heal();
  world.batch.fail(null);
  for (const { name } of world.pool.hosts) {
    world.cloud.linger(name, 0);
    world.cloud.refuse(name, null);
    world.bootstrap.hang(name, false);
    world.batch.personDrain(name, null);
    world.controller.control.release(name, 'operator');
  }
  world.controller.control.release(null, 'operator');
  note('peace');
  const over = () =>
    world.batch.running.length === 0 &&
    waiting(world) === 0 &&
    world.cloud.machines().length === 0 &&
    world.states().every((state) => state === 'free');
  try {
    await world.until('peace', over, 6 * 60 * MINUTE);
  } catch {
    violations.push(
      `stuck: ${world.batch.running.length} run, ${waiting(world)} of ${submitted} wait, machines ${world.cloud
        .machines()
        .map((one) => `${one.host} ${one.state}`)
        .join(', ')}; hosts ${world.store
        .hosts()
        .map((one) => `${one.name} ${one.state} (${one.reason})`)
        .join('; ')}`,
    );
  }
  await world[Symbol.asyncDispose]();
  return { seed, violations, history };
}

function waiting(world: World): number {
  return world.controller.control.status().waiting;
}

type Pick = <T>(of: readonly [T, ...T[]]) => T;

function trouble(world: World, roll: () => number, pick: Pick): string {
  const kind = pick<CloudErrorKind>([
    'auth',
    'quota',
    'capacity',
    'throttled',
    'ip-in-use',
    'config',
    'ambiguous',
    'temporary',
  ]);
  const times = 1 + Math.floor(roll() * 3);
  const call = pick(['create', 'delete', 'list'] as const);
  switch (Math.floor(roll() * 8)) {
    case 0:
      world.cloud.fault(call, { do: 'error', kind }, times);
      return `${call} fails ${times} times: ${kind}`;
    case 1:
      world.cloud.fault(call, { do: 'lost' }, times);
      return `${call}'s answer is lost ${times} times`;
    case 2:
      world.cloud.fault(call, { do: 'garbled' }, times);
      return `${call}'s answer is garbled ${times} times`;
    case 3:
      world.cloud.fault('create', { do: 'partial', first: 1, kind }, times);
      return `only the first of a batch, the others ${kind}`;
    case 4:
      world.cloud.fault('list', { do: 'stale', ms: Math.ceil(roll() * 90) * SECOND }, times * 3);
      return 'stale lists';
    case 5: {
      const name = pick(world.pool.hosts.map((host) => host.name) as [string, ...string[]]);
      world.cloud.failNext(name, Math.ceil(roll() * 120) * SECOND);
      return `the next machine of ${name} fails`;
    }
    case 6: {
      const name = pick(world.pool.hosts.map((host) => host.name) as [string, ...string[]]);
      world.cloud.linger(name, Math.ceil(roll() * 20) * MINUTE);
      return `machines of ${name} linger`;
    }
    default:
      world.cloud.fault(pick(['create', 'delete'] as const), { do: 'hang', after: roll() < 0.5 }, 1);
      return 'a call hangs';
  }
}

/** The oracle: what reaches the cloud is judged by the truth of the world at that moment. */
function watch(world: World, violations: string[]): void {
  const { cloud, batch } = world;
  const remove = cloud.delete;
  cloud.delete = (machines, signal) => {
    for (const machine of machines) {
      const jobs = batch.running.filter((job) => batch.hostsOf(job).includes(machine.host));
      const alive = cloud.machines().some((one) => one.host === machine.host && one.state === 'running');
      if (jobs.length > 0 && alive) violations.push(`${machine.host} was deleted while ${jobs.join(' ')} ran on it`);
    }
    return remove(machines, signal);
  };
  const create = cloud.create;
  cloud.create = async (leases, signal) => {
    try {
      return await create(leases, signal);
    } finally {
      const seen = new Set<string>();
      for (const machine of cloud.machines()) {
        if (seen.has(machine.host)) violations.push(`${machine.host} has two machines`);
        seen.add(machine.host);
      }
    }
  };
}
