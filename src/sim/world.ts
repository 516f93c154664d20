/**
 * A whole site in memory: the real controller on the fakes, with time that moves only when it is told to. What a
 * machine's daemon and a job do of themselves happens here, so a test (and the simulator) only says what is asked.
 */
import { type FakeBatch, type FakeJobSpec, makeFakeBatch } from '../batch/fake.ts';
import { type FakeBootstrap, fakeBootstrap } from '../bootstrap/fake.ts';
import { type FakeCloud, type FakeCloudOptions, fakeCloud } from '../cloud/fake.ts';
import { type Controller, makeController } from '../controller/controller.ts';
import type { Control } from '../controller/view.ts';
import type { Host } from '../domain/host.ts';
import type { HostState } from '../domain/lifecycle.ts';
import type { CloudOffer, Pool } from '../domain/pool.ts';
import { type Clock, type ManualClock, manualClock } from '../lib/clock.ts';
import { quietLog } from '../lib/log.ts';
import { steadyClock } from '../lib/steady.ts';
import { carryClocks, keepMoment } from '../store/carry.ts';
import { type Database, memoryDatabase } from '../store/open.ts';
import { sqliteStore } from '../store/sqlite.ts';
import type { Store } from '../store/store.ts';
import { listsFirst } from '../store/wall.ts';
import { mortal } from './mortal.ts';
import { brittle, isTrouble, remembered } from './stores.ts';

export interface WorldOptions {
  readonly hosts?: number;
  readonly cpus?: number;
  /** ms from create to running. */
  readonly bootTime?: number;
  /** POLL_INTERVAL, ms. */
  readonly poll?: number;
  readonly pool?: Partial<Omit<Pool, 'hosts'>>;
  /** Several clouds in the order of preference, each with so many of the hosts; `hosts` is their sum then. */
  readonly clouds?: readonly (Partial<CloudOffer> & { readonly name: string; readonly hosts: number })[];
  /** The process may die at any write and any call: asked before and after each, true = it dies now. */
  readonly dies?: (what: string) => boolean;
  /** It may die at its readings, too. */
  readonly mortalReads?: boolean;
  /** A write to the store may fail: asked before each, the text of the error or null. */
  readonly fails?: () => string | null;
  /** Hosts that the batch system knows beyond the registered ones. */
  readonly spare?: number;
  /** Time goes from look to look and not by the second; for thousands of histories. */
  readonly quick?: boolean;
  /** ms between two looks while hosts are on the move. */
  readonly moving?: number;
  /** Asked after each reading of the queue: true = jobs start in just this moment, before the service acts. */
  readonly slips?: () => boolean;
  /** The store's database; else one in memory. It is closed with the world. */
  readonly database?: Database;
  /** More of the cloud's own ways. */
  readonly cloud?: Partial<Omit<FakeCloudOptions, 'clock' | 'bootTime'>>;
}

export interface World extends AsyncDisposable {
  /** True time. The service has a wall clock of its own, which can be set. */
  readonly clock: ManualClock;
  readonly batch: FakeBatch;
  /** The only cloud, or the preferred one. */
  readonly cloud: FakeCloud;
  /** All of them, by name. */
  readonly clouds: ReadonlyMap<string, FakeCloud>;
  readonly bootstrap: FakeBootstrap;
  readonly store: Store;
  /** As the service that runs now knows it. */
  readonly pool: Pool;
  /** All hosts that the batch system knows. */
  readonly everyHost: readonly Host[];
  controller: Controller;
  /** Submits a job that runs for so many ms once it starts. @returns its id */
  submit(spec: FakeJobSpec, runs: number): string;
  /** Lets so many ms pass, in steps of at most a second, looking as often as the service would. */
  pass(ms: number): Promise<void>;
  /** Passes time until it is true. @returns ms that passed */
  until(what: string, check: () => boolean, most?: number): Promise<number>;
  states(): readonly HostState[];
  /** An operator asks for something; the process may die of it. */
  operator(ask: (control: Control) => void): void;
  /** The process dies and a new one starts on the same store, or with a changed hosts.json, or an empty store. */
  restart(change?: { readonly pool?: Partial<Pool>; readonly forget?: boolean }): Promise<void>;
  /** Somebody sets the clock of the service's machine. */
  setClock(by: number): void;
  /** The process is stopped (SIGSTOP) for so many ms, while the world goes on. */
  standStill(ms: number): Promise<void>;
  /** The daemon of the host's machine is not heard (any more); jobs on it are put back. */
  silence(host: string, silent: boolean): void;
  /** Looks that ended with an error of the store. */
  readonly failedLooks: number;
  /** Jobs that were on a node when its machine went away. There must never be one. */
  readonly killed: readonly string[];
}

const SECOND = 1000;
const BATCH_CHANGES = ['joinCluster', 'leaveCluster'] as const;
const CLOUD_CHANGES = ['create', 'delete'] as const;
/** Every method of the store that writes. */
const STORE_WRITES = [
  ...(['register', 'move', 'touch', 'hold', 'setClocks', 'setBrake', 'event', 'setNote', 'seen'] as const),
] as const;

export function makeWorld(options: WorldOptions = {}): World {
  const clock = manualClock(undefined, options.quick ? 1 : undefined);
  const offers = options.clouds ?? [{ name: 'cloud', hosts: options.hosts ?? 4 }];
  const owners = offers.flatMap((offer) => Array.from({ length: offer.hosts }, () => offer.name));
  const count = owners.length;
  const everyHost: Host[] = Array.from({ length: count + (options.spare ?? 0) }, (_, i) => ({
    name: `c${i + 1}`,
    ip: `10.0.${Math.floor(i / 200)}.${(i % 200) + 1}`,
    ...(offers.length > 1 ? { cloud: owners[i] ?? '' } : {}),
  }));
  const hosts = everyHost.slice(0, count);
  let db = options.database ?? memoryDatabase();
  let wallOffset = 0;
  const wall: Clock = { ...clock, now: () => clock.now() + wallOffset };
  let steady: Clock = wall;
  let pool: Pool = {
    name: 'cloud',
    queue: 'cloud',
    policy: 'demand',
    limits: { minNodes: 0, maxNodes: hosts.length, maxStarting: hosts.length },
    timing: {
      cleanup: 600 * SECOND,
      idle: 600 * SECOND,
      boot: 1000 * SECOND,
      prepare: 180 * SECOND,
      join: 300 * SECOND,
      stop: 600 * SECOND,
    },
    ...(options.clouds && {
      clouds: offers.map((offer) => ({ pricePerHour: 0, maxNodes: offer.hosts, ...offer })),
    }),
    ...options.pool,
    hosts,
  };
  const cpus = options.cpus ?? 4;
  const batch = makeFakeBatch({
    clock,
    queue: 'cloud',
    hosts: everyHost.map(({ name }) => ({ name, cpus, memoryMiB: 8000 })),
  });
  const clouds = new Map(
    offers.map(({ name }) => [name, fakeCloud({ clock, bootTime: options.bootTime ?? 60 * SECOND, ...options.cloud })]),
  );
  const [cloud] = clouds.values();
  if (cloud === undefined) throw new TypeError('a world without a cloud');
  const silent = new Set<string>();
  const runs = () => [...clouds.values()].flatMap((one) => one.machines()).filter((one) => one.state === 'running');
  const bootstrap = fakeBootstrap({ clock, alive: (host) => runs().some((one) => one.ip === host.ip) });
  let store = makeStore();
  const poll = options.poll ?? 5 * SECOND;
  let process = mortal(options.dies);
  /** The batch system as the service reaches it: a job may start between an answer and what the service makes of it. */
  const reached: FakeBatch = new Proxy(batch, {
    get(target, key) {
      if (key !== 'getStatus' || options.slips === undefined) return Reflect.get(target, key);
      return async (...asked: Parameters<FakeBatch['getStatus']>) => {
        const status = await batch.getStatus(...asked);
        if (options.slips?.() === true) live();
        return status;
      };
    },
  });
  /** As app.ts does it: a steady clock of its own, stored times carried over, and after a lost store a minute's pause. */
  const make = (memoryLost = false) => {
    steady = steadyClock(wall);
    carryClocks(db, { wall: wall.now(), boot: clock.monotonic() });
    if (memoryLost) store.setBrake(listsFirst(steady.now()));
    return makeController({
      pool,
      batch: process.wrap(
        'batch',
        reached,
        options.mortalReads ? [...BATCH_CHANGES, 'getStatus', 'tell'] : BATCH_CHANGES,
      ),
      clouds: [...clouds].map(([name, one]) => ({
        name,
        cloud: process.wrap('cloud', one, options.mortalReads ? [...CLOUD_CHANGES, 'list'] : CLOUD_CHANGES),
      })),
      bootstrap: process.wrap('bootstrap', bootstrap, ['prepare', 'forget', 'answers']),
      store: process.wrap('store', store, STORE_WRITES),
      clock: steady,
      log: quietLog,
      pollInterval: poll,
      version: 'test',
      pid: 1,
    });
  };
  const never = new AbortController().signal;
  const runsFor = new Map<string, number>();
  const endsAt = new Map<string, number>();
  const up = new Set<string>();
  const killed: string[] = [];
  let controller = born();
  let nextLookAt = clock.now();
  let failedLooks = 0;

  function makeStore(): Store {
    const real = sqliteStore(db);
    return brittle(options.quick ? remembered(real) : real, options.fails);
  }

  /** What happens outside the service: daemons follow their machines, jobs start and end. */
  function live(): void {
    const now = new Set(runs().map((one) => one.host));
    for (const name of silent) now.delete(name);
    for (const host of everyHost) {
      if (now.has(host.name) === up.has(host.name)) continue;
      if (now.has(host.name)) {
        up.add(host.name);
        batch.nodeUp(host.name);
      } else {
        up.delete(host.name);
        killed.push(...batch.running.filter((job) => batch.hostsOf(job).includes(host.name)));
        batch.nodeDown(host.name);
      }
    }
    for (const [job, at] of endsAt) {
      if (clock.now() < at) continue;
      endsAt.delete(job);
      batch.finish(job);
      if (!job.includes('_')) runsFor.delete(job);
    }
    for (const job of batch.schedule()) endsAt.set(job, clock.now() + (runsFor.get(job.split('_')[0] ?? job) ?? 0));
  }

  async function look(): Promise<void> {
    live();
    if (clock.now() < nextLookAt) return;
    try {
      await whileTimePasses(controller.look(never));
    } catch (error) {
      // As the controller's own loop does: said, and looked again.
      if (!process.dead() && !isTrouble(error)) throw error;
      failedLooks++;
    }
    const moving = store.hosts().some((host) => !['free', 'ready', 'quarantined'].includes(host.state));
    nextLookAt = clock.now() + (moving ? Math.min(options.moving ?? SECOND, poll) : poll);
    await clock.advance(0);
    if (process.dead()) begin();
    live();
  }

  /** A look that waits for a slow answer: the world goes on meanwhile. */
  async function whileTimePasses<T>(work: Promise<T>): Promise<T> {
    let ended = false;
    const end = () => {
      ended = true;
    };
    work.then(end, end);
    await clock.advance(0);
    while (!ended && !process.dead()) {
      await clock.advance(SECOND);
      live();
    }
    return process.dead() && !ended ? (Promise.reject(new Error('dead')) as Promise<T>) : work;
  }

  /** A new process on the same store; the old one, if it still waits for something, can do nothing any more. */
  function begin(memoryLost = false): void {
    if (!memoryLost) keepMoment(db, { steady: steady.now(), wall: wall.now(), boot: clock.monotonic() });
    process = mortal(options.dies);
    nextLookAt = clock.now();
    controller = born(memoryLost);
  }

  /** A service that cannot write, or dies of its start, is started again until it lives. */
  function born(memoryLost = false): Controller {
    for (;;) {
      try {
        return make(memoryLost);
      } catch (error) {
        if (process.dead()) process = mortal(options.dies);
        else if (!isTrouble(error)) throw error;
      }
    }
  }

  return {
    clock,
    batch,
    cloud,
    clouds,
    bootstrap,
    get store() {
      return store;
    },
    get pool() {
      return pool;
    },
    everyHost,
    get failedLooks() {
      return failedLooks;
    },
    killed,
    get controller() {
      return controller;
    },
    set controller(next) {
      controller = next;
    },
    submit(spec, runs) {
      const id = batch.submit(spec);
      runsFor.set(id.split('_')[0] ?? id, runs);
      return id;
    },
    async pass(ms) {
      const end = clock.now() + ms;
      for (;;) {
        await look();
        if (clock.now() >= end) return;
        const step = options.quick ? Math.max(SECOND, nextLookAt - clock.now()) : SECOND;
        await clock.advance(Math.min(step, end - clock.now()));
      }
    },
    async until(what, check, most = 3600 * SECOND) {
      const start = clock.now();
      while (!check()) {
        if (clock.now() - start > most) throw new Error(`${what}: not within ${most / SECOND} s of the world's time`);
        await this.pass(options.quick ? Math.max(SECOND, nextLookAt - clock.now()) : SECOND);
      }
      return clock.now() - start;
    },
    states: () => store.hosts().map((host) => host.state),
    operator(ask) {
      try {
        ask(controller.control);
      } catch (error) {
        if (process.dead()) begin();
        else if (!isTrouble(error)) throw error;
      }
    },
    async restart(change = {}) {
      // It may die of its stopping, too.
      await whileTimePasses(controller[Symbol.asyncDispose]()).catch((error: unknown) => {
        if (!process.dead()) throw error;
      });
      pool = { ...pool, ...change.pool };
      if (change.forget) {
        store[Symbol.dispose]();
        db = memoryDatabase();
        store = makeStore();
      }
      begin(change.forget);
    },
    setClock(by) {
      wallOffset += by;
    },
    async standStill(ms) {
      const end = clock.now() + ms;
      while (clock.now() < end) {
        live();
        await clock.advance(Math.min(5 * SECOND, end - clock.now()));
      }
      live();
    },
    silence: (host, on) => void (on ? silent.add(host) : silent.delete(host)),
    async [Symbol.asyncDispose]() {
      if (!process.dead()) await controller[Symbol.asyncDispose]();
      store[Symbol.dispose]();
    },
  };
}
