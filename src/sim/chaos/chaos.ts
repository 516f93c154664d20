/**
 * Chaos: one seeded history of everything that can go wrong at once, in a world of fakes with its own time. About an
 * hour of trouble, then peace; at the end everything must be as if nothing had been, and the oracle must have seen
 * nothing that must never be.
 */

import type { FakeJobSpec } from '../../batch/fake.ts';
import { sayError } from '../../domain/errors.ts';
import { type Dice, makeDice } from '../dice.ts';
import { makeWorld, type World } from '../world.ts';
import { makeOracle } from './oracle.ts';
import { type Scene, TROUBLES } from './troubles.ts';

export interface ChaosResult {
  readonly seed: number;
  /** What must never happen and did; empty = all well. */
  readonly violations: readonly string[];
  /** What was done to the service, in order, for reading a failure. */
  readonly history: readonly string[];
  /** The service's own last events before the first violation. */
  readonly told: readonly string[];
  /** How long after the end of the troubles everything was at rest, ms. */
  readonly peaceAfter: number;
  /** Machines that were made in all. */
  readonly made: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const ROUNDS = 60;
/** ms of peace within which everything must be at rest. */
const LONGEST_PEACE = 6 * 60 * MINUTE;

export async function chaos(seed: number): Promise<ChaosResult> {
  const roll = makeDice(seed);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(roll() * of.length)] as T;
  // Dice of their own: what hosts a job wants changes nothing else in the history of a seed.
  const taste = makeDice(seed + 0x5eed);
  const history: string[] = [];
  const oracle = makeOracle();
  let deadly = 0;
  let slippery = true;
  const poll = pick([2, 5, 15, 30]);
  const disk = { until: 0, percent: 0, why: '' };
  const world: World = makeWorld({
    quick: true,
    hosts: 3 + Math.floor(roll() * 4),
    spare: 2,
    bootTime: pick([10 * SECOND, 45 * SECOND, 3 * MINUTE]),
    poll: poll * SECOND,
    moving: pick([1, 2, 5]) * SECOND,
    slips: () => slippery && roll() < 0.5,
    dies: (what) => {
      if (deadly === 0 || roll() >= deadly) return false;
      history.push(`dies ${what}`);
      return true;
    },
    fails: () => (disk.until > 0 && world.clock.now() < disk.until && roll() * 100 < disk.percent ? disk.why : null),
    cloud: {
      ...oracle.hooks,
      blind: roll() < 0.5,
      listLag: pick([0, 0, 20 * SECOND]),
      stopTime: pick([0, 30 * SECOND]),
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
  const scene: Scene = {
    world,
    poll,
    forgot: false,
    closedByPerson: new Set(),
    choosy: new Map(),
    roll,
    pick,
    host: () => pick(world.pool.hosts).name,
    lie: { left: 0, until: 0 },
    lies: [],
    delays: [],
    disk,
    undo: [],
  };
  lieAsTold(scene);
  oracle.watch(world);
  const note = (what: string) => history.push(`${Math.round(world.clock.monotonic() / SECOND)} s ${what}`);

  for (let round = 0; round < ROUNDS; round++) {
    deadly = roll() < 0.15 ? 0.05 : 0;
    if (roll() < 0.35) {
      const spec = { nodes: roll() < 0.2 ? 2 : 1, exclusive: roll() < 0.6 };
      const wish = wishOf(taste, world);
      const id = world.submit({ ...spec, ...wish }, Math.ceil(roll() * 8) * MINUTE);
      if (wish !== null) scene.choosy.set(id, { nodes: spec.nodes, ...wish });
      note(`job ${JSON.stringify({ ...spec, ...wish })}`);
    } else {
      const what = await pick(pick(TROUBLES))(scene);
      if (what !== null) note(what);
    }
    await world.pass(Math.ceil(roll() * 4) * MINUTE * 0.5);
  }

  deadly = 0;
  slippery = roll() < 0.5;
  await peace(scene);
  note('peace');
  const began = world.clock.monotonic();
  const atRest = () => {
    oracle.inPeace();
    return over(world);
  };
  try {
    await world.until('peace', atRest, LONGEST_PEACE);
  } catch (error) {
    oracle.say(`stuck: ${sayError(error)}: ${stateOf(world)}`);
  }
  const peaceAfter = world.clock.monotonic() - began;
  await world[Symbol.asyncDispose]();
  return { seed, violations: oracle.violations, history, told: oracle.told, peaceAfter, made: world.cloud.counts.made };
}

/** Readings of the queue lie and dawdle as the troubles want it. */
function lieAsTold({ world, lies, delays }: Scene): void {
  const { getStatus } = world.batch;
  world.batch.getStatus = async (...asked) => {
    const status = await getStatus.apply(world.batch, asked);
    const delay = delays.shift();
    if (delay !== undefined) await world.clock.sleep(delay, asked[2]);
    return lies.shift()?.(status) ?? status;
  };
}

/** Some jobs name a host, and some are never started on one, though nothing that is told says so. */
function wishOf(taste: Dice, world: World): Pick<FakeJobSpec, 'hosts' | 'avoids'> | null {
  const kind = taste();
  const { name } = world.everyHost[Math.floor(taste() * world.everyHost.length)] ?? { name: '' };
  if (kind < 0.1) return { hosts: [name] };
  return kind < 0.2 ? { avoids: [name] } : null;
}

/** A person takes away the jobs that the hosts there are can never serve. */
function withoutHopeless({ world, choosy }: Scene): void {
  const there = world.pool.hosts.map((host) => host.name);
  for (const [id, { nodes, hosts = [], avoids = [] }] of choosy) {
    const able = there.filter((name) => !avoids.includes(name)).length >= nodes;
    const waits = world.batch.hostsOf(id).length === 0 && world.batch.knows(id);
    if (waits && !(able && hosts.every((name) => there.includes(name)))) world.batch.finish(id);
  }
}

/** Everything works again, and a person has put right what only a person can. */
async function peace(scene: Scene): Promise<void> {
  const { world } = scene;
  scene.disk.until = 0;
  scene.lies.length = 0;
  scene.delays.length = 0;
  world.cloud.heal();
  world.batch.fail(null);
  for (const undo of scene.undo) undo();
  // Whatever was taken out of hosts.json and MAX_NODES in the troubles is there again, half of the time.
  const { limits } = world.pool;
  const hosts = scene.roll() < 0.5 && !scene.forgot ? world.pool.hosts : world.everyHost;
  await world.restart({ pool: { hosts, limits: { ...limits, maxNodes: hosts.length } } });
  withoutHopeless(scene);
  // A machine with the lease of a lost database and an address that hosts.json no longer has: the service names it.
  const ips = new Map(world.pool.hosts.map((host) => [host.name, host.ip]));
  for (const { id, host, ip } of world.cloud.machines())
    if (scene.forgot && ips.get(host) !== ip) world.cloud.vanish(id);
  for (const { name } of world.everyHost) {
    world.batch.personDrain(name, null);
    world.controller.control.release(name, 'operator');
  }
  world.controller.control.release(null, 'operator');
}

function over(world: World): boolean {
  return (
    world.batch.running.length === 0 &&
    world.batch.waiting === 0 &&
    world.cloud.machines().length === 0 &&
    world.states().every((state) => state === 'free')
  );
}

function stateOf(world: World): string {
  const machines = world.cloud.machines().map((one) => `${one.host} ${one.state}`);
  const hosts = world.store.hosts().map((one) => `${one.name} ${one.state} (${one.reason})`);
  const { running, waiting } = world.batch;
  return `${running.length} run, ${waiting} wait, machines ${machines.join(', ')}; hosts ${hosts.join('; ')}`;
}
