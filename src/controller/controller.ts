/**
 * The controller: observe, plan, journal, act, sleep; again. Level-triggered: every look starts from what is true now,
 * so a crash at any point is mended by the next one.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Batch } from '../batch/batch.ts';
import type { Bootstrap } from '../bootstrap/bootstrap.ts';
import { sayError } from '../domain/errors.ts';
import type { Machine } from '../domain/machine.ts';
import type { Pool } from '../domain/pool.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { plan } from '../planner/plan.ts';
import type { Store } from '../store/store.ts';
import { makeAbsence } from './absence.ts';
import { act } from './act.ts';
import { tellBudgets } from './budget-news.ts';
import { makeClouds, type NamedCloud } from './clouds.ts';
import { makeControl } from './control.ts';
import { makeDoubt } from './doubt.ts';
import { makeErrands } from './errands.ts';
import type { Hands } from './hands.ts';
import { type Health, makeHealth } from './health.ts';
import { nextLook } from './interval.ts';
import { keepClocks, keepIds } from './keep.ts';
import { type Memory, warnOnce } from './memory.ts';
import { observe, type Readings, seenNow, snapshotOf } from './observe.ts';
import { makeRecorder } from './record.ts';
import { waitingBecause } from './show.ts';
import { makeSpending } from './spending.ts';
import { tellOwners } from './tell.ts';
import type { Control } from './view.ts';

export interface ControllerParts {
  readonly pool: Pool;
  readonly batch: Batch;
  /** At least one, in the order of preference. */
  readonly clouds: readonly NamedCloud[];
  readonly bootstrap: Bootstrap;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** What has to be added to the clock for the wall's time, ms; without it nothing. Budgets count the wall's days. */
  readonly wallOffset?: () => number;
  /** Does this machine belong to a host of another pool? Absent: there is no other. */
  readonly elsewhere?: (machine: Machine) => boolean;
  /** POLL_INTERVAL, ms. */
  readonly pollInterval: number;
  readonly version: string;
  readonly pid: number;
  /** Called after every look, also a failed one: for the watchdog and the status line. */
  readonly onLook?: (summary: string) => void;
}

export interface Controller {
  readonly control: Control;
  /** When the last plan would be another one although nothing changes, epoch ms; null = not before something does. */
  readonly changesAt: number | null;
  /** One look: observe, plan, act. Never throws for what the two sides do. @returns what it decided, in sentences */
  look(signal: AbortSignal): Promise<string>;
  /** Looks until the signal aborts, then ends the calls under way. */
  run(signal: AbortSignal): Promise<void>;
  /** Waits until no call is under way (for tests and for a clean stop). */
  [Symbol.asyncDispose](): Promise<void>;
}

/** How many calls to clouds and nodes may be under way at one time. */
const MOST_ERRANDS = 64;

export function makeController(parts: ControllerParts): Controller {
  const { pool, store, clock, log } = parts;
  let wake = new AbortController();
  let poked = false;
  const look = () => {
    poked = true;
    wake.abort();
  };
  const listeners = new Set<() => void>();
  const clouds = makeClouds(parts.clouds);
  const eyes = { ...parts, clouds };
  const { brakeOf } = clouds;
  const onEvent = () => {
    for (const listener of listeners) listener();
  };
  const recorder = makeRecorder({ store, clock, log, onEvent, brakeOf });
  const errands = makeErrands(MOST_ERRANDS, clock, {
    onEnd: look,
    onError(error) {
      const text = `a call ended unexpectedly: ${sayError(error)}`;
      try {
        recorder.tell('error', null, text);
      } catch {
        // The disk is full or gone: that must not end the service. What the call did is seen by the next look.
        log.error(text);
      }
    },
  });
  const retryCallAt = new Map<string, number>();
  const accepted = new Set<string>();
  const absence = makeAbsence(clock);
  const doubt = makeDoubt(recorder);
  const hands: Hands = { ...parts, clouds, errands, recorder, retryCallAt, accepted };
  const batch = makeHealth('the batch system', parts.batch.family, clock, recorder);
  const several = parts.clouds.length > 1;
  const health = new Map(
    parts.clouds.map(({ name, cloud: { kind } }): [string, Health] => [
      name,
      several
        ? makeHealth(`the cloud ${name}`, kind, clock, recorder, 'among its hosts ')
        : makeHealth('the cloud', kind, clock, recorder),
    ]),
  );
  const wallOffset = parts.wallOffset ?? (() => 0);
  // Nothing is counted where nobody named a price, a budget or a second cloud.
  const spending = pool.clouds === undefined ? null : makeSpending(store, clock, clouds, wallOffset);
  const views = () => parts.clouds.flatMap(({ name }) => health.get(name)?.view() ?? []);
  const memory: Memory = {
    completeReads: 0,
    sight: new Map(),
    acted: false,
    last: null,
    tally: null,
    warned: new Set(),
    nextLookAt: null,
  };

  let absent = true;
  /** A host that another pool still has a machine for comes to us when that is gone. */
  function register(): void {
    if (!absent) return;
    store.register(pool.hosts, clock.now());
    absent = pool.hosts.some((host) => store.host(host.name) === undefined);
  }
  register();

  async function snapshot(signal: AbortSignal): Promise<{ readings: Readings; s: Snapshot | null }> {
    // Taken before the reading: a call that ends while we read may not be in what we read.
    const underWay = new Set(errands.hosts);
    const readings = await observe(eyes, signal);
    const seen = {
      completeReads: memory.completeReads + 1,
      sight: memory.sight,
      underWay: new Set([...underWay, ...errands.hosts]),
      retryCallAt,
      accepted,
      absence,
    };
    const made = snapshotOf(eyes, readings, seen);
    const s = made === null ? null : doubt.seen(made);
    return { readings, s: s === null || spending === null ? s : spending.withUsage(s) };
  }

  async function once(signal: AbortSignal): Promise<string> {
    register();
    const looked = await snapshot(signal);
    if (signal.aborted) return 'stopping';
    const { readings } = looked;
    batch.note(readings.batch);
    for (const { from, reading } of readings.clouds) health.get(from.name)?.note(reading);
    if (readings.batch.ok) memory.tally = readings.batch.value.tally;
    if (looked.s === null) {
      memory.completeReads = 0;
      memory.sight = new Map([...memory.sight].map(([name, seen]) => [name, { ...seen, completeReads: 0 }]));
      memory.acted = false;
      return `nothing changed because ${silence(readings)}`;
    }
    spending?.count(looked.s);
    const s = spending?.withUsage(looked.s) ?? looked.s;
    memory.completeReads = s.completeReads;
    if (several) memory.sight = seenNow(memory.sight, readings, s, clouds);
    const decided = plan(s);
    const before = memory.last?.plan.steps ?? [];
    memory.acted = decided.steps.some((step) => step.kind !== 'wait') && !isDeepStrictEqual(before, decided.steps);
    doubt.expect(s, decided);
    keepClocks(store, s, decided);
    keepIds(store, s);
    const unreadable = readings.batch.ok ? readings.batch.value.unreadable : [];
    memory.last = { snapshot: s, plan: decided, waitingBecause: onDemand(() => waitingBecause(s, decided)) };
    tellBudgets(store, recorder, s);
    warnOnce(memory, recorder, [...decided.warnings, ...unreadable.map((line) => `cannot be read: ${line}`)]);
    await act(hands, s, decided);
    await tellOwners(parts.batch, store, s, decided, signal);
    return decided.summary;
  }

  const control = makeControl({
    ...parts,
    recorder,
    errands,
    listeners,
    memory,
    health: { batch, clouds: health },
    wallOffset,
    brakes: several ? parts.clouds.map((one) => one.name) : [''],
    startedAt: clock.now(),
    wake: look,
    peek: async () => {
      const { readings, s } = await snapshot(AbortSignal.timeout(60_000));
      if (s === null) throw new Error(silence(readings));
      return plan(s);
    },
  });

  return {
    control,
    get changesAt() {
      return memory.last?.plan.changesAt ?? null;
    },
    async look(signal) {
      const summary = await once(signal);
      memory.summary = summary;
      parts.onLook?.(summary);
      return summary;
    },
    async run(signal) {
      signal.addEventListener('abort', () => wake.abort(), { once: true });
      while (!signal.aborted) {
        poked = false;
        wake = new AbortController();
        try {
          await this.look(signal);
        } catch (error) {
          // A defect of ours, or a full disk: say it, leave everything as it is, look again.
          log.error(`this look failed: ${sayError(error)}`, { stack: error instanceof Error ? error.stack : '' });
          memory.completeReads = 0;
          memory.summary = `nothing changed because this look failed: ${sayError(error)}`;
        }
        if (signal.aborted) break;
        const pause = nextLook({
          base: parts.pollInterval,
          states: store.hosts().map((host) => host.state),
          completeReads: memory.completeReads,
          acted: memory.acted,
          changesIn: this.changesAt === null ? null : this.changesAt - clock.now(),
          // How long a failure took says nothing about load, and a scheduler that is back should be seen soon.
          batchTook: batch.view().ok ? batch.view().took : 0,
          cloudTook: Math.max(0, ...views().map((view) => (view.ok ? view.took : 0))),
        });
        memory.nextLookAt = clock.now() + pause;
        // Woken already while looking: once more, after a breath, so that a storm of pokes does not become a busy loop.
        await clock.sleep(poked ? Math.min(100, pause) : pause, poked ? signal : wake.signal);
      }
      await errands[Symbol.asyncDispose]();
    },
    [Symbol.asyncDispose]: () => errands[Symbol.asyncDispose](),
  };
}

/** Made when somebody asks for the first time, then kept. */
function onDemand<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function silence(readings: Readings): string {
  const said: string[] = [];
  if (!readings.batch.ok) said.push(`the batch system does not answer: ${readings.batch.message}`);
  const lost = readings.clouds.flatMap(({ from, reading }) => (reading.ok ? [] : [{ name: from.name, reading }]));
  if (lost.length < readings.clouds.length) return said.join('; ');
  for (const { name, reading } of lost) {
    said.push(`the cloud${readings.clouds.length > 1 ? ` ${name}` : ''} does not answer: ${reading.message}`);
  }
  return said.join('; ');
}
