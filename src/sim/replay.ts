/**
 * One replay: the real controller with its planner, on a simulated batch system and cloud, with virtual time. What is
 * decided is decided by the same code as in the service; only the time between two looks at which nothing can have
 * changed is left out (see wake.ts).
 */
import { fakeBootstrap } from '../bootstrap/fake.ts';
import { makeController } from '../controller/controller.ts';
import { nextLook } from '../controller/interval.ts';
import type { Policy } from '../domain/pool.ts';
import { quietLog } from '../lib/log.ts';
import type { BucketOptions } from './bucket.ts';
import { makeDice } from './dice.ts';
import { type Events, makeEvents } from './events.ts';
import { type Flow, makeFlow } from './flow.ts';
import type { Shape, SimJob } from './job.ts';
import { makeMachines } from './machines.ts';
import { type Meter, makeMeter } from './meter.ts';
import { makePool } from './pool.ts';
import { makeQueue } from './queue.ts';
import { type ReplayStore, replayStore } from './remember.ts';
import { makeScheduler } from './scheduler.ts';
import { nextWake } from './wake.ts';

export interface ReplayOptions {
  /** In the order of submission, numbered from 0. At least one. */
  readonly jobs: readonly SimJob[];
  readonly shape: Shape;
  readonly policy: Policy;
  /** ms from the create call to a machine whose daemon answers. */
  readonly boot: number;
  /** Part of the boot time by which single boots are shorter or longer, 0 to 1. */
  readonly bootSpread: number;
  /** ms: CLEANUP_NODE_WAIT_TIME and IDLE_NODE_WAIT_TIME. */
  readonly idle: number;
  /** ms: POLL_INTERVAL. */
  readonly poll: number;
  /** ms from the delete call until the machine is gone. */
  readonly stop: number;
  /** ms: lives are paid in whole units of this. */
  readonly billingUnit: number;
  /** How many machines the cloud lets us ask for; null = any number. */
  readonly bucket: BucketOptions | null;
  readonly seed: number;
  /** A submit hook of the batch system pokes the service: it looks when a job arrives. */
  readonly hook?: boolean;
  /** Look at every interval, also when nothing can have changed: slow, for the proof that leaving out is harmless. */
  readonly everyLook?: boolean;
  /** Called now and then with the part of the jobs that has ended. */
  readonly onProgress?: ((part: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Replayed {
  readonly meter: Meter;
  /** ms, by the job's number. */
  readonly waits: Float64Array;
  /** Epoch ms, virtual. */
  readonly lastEnd: number;
  readonly looks: number;
  /** What the service warned of, and how often. */
  readonly warnings: ReadonlyMap<string, number>;
}

/** The service is at work for so long before the first job comes, ms. */
export const LEAD = 60_000;
/** Without a start or an end of a job for so long, while jobs wait and none runs, the replay gives up. ms */
const STANDSTILL = 30 * 86_400_000;
const NEVER = new AbortController().signal;
/** A poked service looks at once, and not twice within this time (as the controller's own loop). ms */
const BREATH = 100;

export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { jobs, shape, poll } = options;
  const begin = (jobs[0]?.submit ?? 0) - LEAD;
  const dice = makeDice(options.seed);
  const events = makeEvents(begin);
  const pool = makePool(options);
  const names = pool.hosts.map((host) => host.name);
  const index = new Map(names.map((name, at) => [name, at]));
  const of = (name: string) => index.get(name) ?? -1;
  const meter = makeMeter(shape.hosts, begin, options.billingUnit);
  const scheduler = makeScheduler(shape);
  const queue = makeQueue({
    names,
    shape,
    scheduler,
    onOpen(host, open) {
      scheduler.setOpen(host, open);
      if (!open) return;
      meter.set(host, 'idle', events.now);
      flow.hostChanged();
    },
  });
  const flow: Flow = makeFlow({ events, scheduler, meter, jobs, onHost: queue.touch });
  const cloud = makeMachines({
    events,
    stopTime: options.stop,
    bucket: options.bucket,
    bootTime: () => Math.round(options.boot * (1 + options.bootSpread * (2 * dice() - 1))),
    onBorn: (name) => meter.set(of(name), 'boot', events.now),
    onUp: (name) => queue.power(of(name), true),
    onGone(name) {
      if (scheduler.jobsOn(of(name)).size > 0) throw new Error(`the machine of ${name} was deleted with a job on it`);
      queue.power(of(name), false);
      meter.set(of(name), null, events.now);
    },
  });
  const bootstrap = fakeBootstrap({ clock: events.clock });
  const store = replayStore();
  const controller = makeController({
    pool,
    batch: queue,
    clouds: [{ name: 'cloud', cloud }],
    bootstrap,
    store,
    clock: events.clock,
    log: quietLog,
    pollInterval: poll,
    version: 'simulated',
    pid: 0,
  });
  const calls = () => cloud.counts.create + cloud.counts.delete + bootstrap.counts.prepare;

  // The first job does not know when the service looks: the seed says where between two looks it comes.
  flow.moveTo(begin + Math.floor(dice() * poll));
  let looks = 0;
  while (!(flow.allEnded && meter.machines === 0)) {
    options.signal?.throwIfAborted();
    const before = { calls: calls(), moves: store.moves };
    await controller.look(NEVER);
    await settle();
    looks++;
    if (looks % 1000 === 0) options.onProgress?.(flow.ended / jobs.length);
    const poked = calls() !== before.calls;
    const acted = poked || store.moves !== before.moves;
    const states = store.hosts().map((host) => host.state);
    const usual = nextLook({ base: poll, states, completeReads: looks, acted, batchTook: 0, cloudTook: 0 });
    const changesIn = (controller.changesAt ?? Number.POSITIVE_INFINITY) - events.now;
    // A call that has ended wakes the service; see the controller's own loop.
    const pause = poked ? Math.min(BREATH, usual) : usual;
    const quiet = !acted && looks > 2 && options.everyLook !== true;
    const wait = Math.min(quiet ? skip(events, store, pool.timing, pause) : pause, untilChange(changesIn, pause));
    const next = events.now + wait;
    flow.moveTo(options.hook === true ? Math.min(next, Math.max(flow.nextArrival, events.now + BREATH)) : next);
    if (events.now - flow.lastMove > STANDSTILL && scheduler.waiting.length > 0 && scheduler.running.size === 0)
      throw new Error(standstill(scheduler.waiting, controller.control.status().summary));
  }
  await controller[Symbol.asyncDispose]();
  return { meter, waits: flow.waits, lastEnd: flow.lastEnd, looks, warnings: store.warnings };
}

/** As many whole pauses as pass until something can be new. ms */
function skip(
  events: Events,
  store: ReplayStore,
  timing: ReturnType<typeof makePool>['timing'],
  pause: number,
): number {
  const change = Math.min(events.next(), nextWake(store, timing, events.now));
  return Math.max(1, Math.ceil((change - events.now) / pause)) * pause;
}

/**
 * A look is made when the plan will be another one by itself, after as many whole pauses as pass before. ms
 * @param changesIn ms from now
 */
function untilChange(changesIn: number, pause: number): number {
  if (!Number.isFinite(changesIn)) return Number.POSITIVE_INFINITY;
  const whole = Math.floor(changesIn / pause) * pause;
  const rest = changesIn - whole;
  return rest === 0 ? Math.max(whole, BREATH) : whole + Math.max(rest, BREATH);
}

function standstill(waiting: readonly SimJob[], summary: string): string {
  const [first] = waiting;
  return `the replay stands still: ${waiting.length} jobs wait, the first is ${first?.id} (${first?.nodes} hosts); ${summary}`;
}

/** Lets the calls that run beside the loop end: in a replay none of them waits for anything but its turn. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
