/**
 * A whole site in memory: the real controller on the fakes, with time that moves only when it is told to. What a
 * machine's daemon and a job do of themselves happens here, so a test (and the simulator) only says what is asked.
 */
import { type FakeBatch, type FakeJobSpec, makeFakeBatch } from '../batch/fake.ts';
import { type FakeBootstrap, fakeBootstrap } from '../bootstrap/fake.ts';
import { type FakeCloud, fakeCloud } from '../cloud/fake.ts';
import { type Controller, makeController } from '../controller/controller.ts';
import type { Control } from '../controller/view.ts';
import type { Host } from '../domain/host.ts';
import type { HostState } from '../domain/lifecycle.ts';
import type { CloudOffer, Pool } from '../domain/pool.ts';
import { type ManualClock, manualClock } from '../lib/clock.ts';
import { quietLog } from '../lib/log.ts';
import { memoryDatabase } from '../store/open.ts';
import { sqliteStore } from '../store/sqlite.ts';
import type { Store } from '../store/store.ts';
import { mortal } from './mortal.ts';
import { makeNature } from './nature.ts';

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
}

export interface World extends AsyncDisposable {
  readonly clock: ManualClock;
  readonly batch: FakeBatch;
  /** The only cloud, or the preferred one. */
  readonly cloud: FakeCloud;
  /** All of them, by name. */
  readonly clouds: ReadonlyMap<string, FakeCloud>;
  readonly bootstrap: FakeBootstrap;
  readonly store: Store;
  readonly pool: Pool;
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
  /** The process dies and a new one starts on the same store. */
  restart(): Promise<void>;
  /** Jobs that were on a node when its machine went away. There must never be one. */
  readonly killed: readonly string[];
}

const SECOND = 1000;

export function makeWorld(options: WorldOptions = {}): World {
  const clock = manualClock();
  const offers = options.clouds ?? [{ name: 'cloud', hosts: options.hosts ?? 4 }];
  const owners = offers.flatMap((offer) => Array.from({ length: offer.hosts }, () => offer.name));
  const hosts: Host[] = owners.map((owner, i) => ({
    name: `c${i + 1}`,
    ip: `10.0.${Math.floor(i / 200)}.${(i % 200) + 1}`,
    ...(offers.length > 1 ? { cloud: owner } : {}),
  }));
  const pool: Pool = {
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
    hosts: hosts.map(({ name }) => ({ name, cpus, memoryMiB: 8000 })),
  });
  const clouds = new Map(
    offers.map(({ name }) => [name, fakeCloud({ clock, bootTime: options.bootTime ?? 60 * SECOND })]),
  );
  const [cloud] = clouds.values();
  if (cloud === undefined) throw new TypeError('a world without a cloud');
  const machines = () => [...clouds.values()].flatMap((one) => one.machines());
  const nature = makeNature({ clock, batch, cloud: { machines }, hosts: hosts.map(({ name }) => name) });
  const bootstrap = fakeBootstrap({ clock, alive: (host) => nature.running().has(host.name) });
  const store = sqliteStore(memoryDatabase());
  const poll = options.poll ?? 5 * SECOND;
  let process = mortal(options.dies);
  const make = () =>
    makeController({
      pool,
      batch: process.wrap('batch', batch, ['joinCluster', 'leaveCluster']),
      clouds: [...clouds].map(([name, one]) => ({ name, cloud: process.wrap('cloud', one, ['create', 'delete']) })),
      bootstrap: process.wrap('bootstrap', bootstrap, ['prepare', 'forget']),
      store: process.wrap('store', store, ['move', 'touch', 'setClocks', 'setBrake', 'setNote', 'seen']),
      clock,
      log: quietLog,
      pollInterval: poll,
      version: 'test',
      pid: 1,
    });
  const never = new AbortController().signal;
  let controller = make();
  let nextLookAt = clock.now();

  async function look(): Promise<void> {
    nature.step();
    if (clock.now() < nextLookAt) return;
    try {
      await controller.look(never);
    } catch (error) {
      if (!process.dead()) throw error;
    }
    const moving = store.hosts().some((host) => !['free', 'ready', 'quarantined'].includes(host.state));
    nextLookAt = clock.now() + (moving ? Math.min(SECOND, poll) : poll);
    await clock.advance(0);
    if (process.dead()) begin();
    nature.step();
  }

  /** A new process on the same store; the old one, if it still waits for something, can do nothing any more. */
  function begin(): void {
    process = mortal(options.dies);
    controller = make();
    nextLookAt = clock.now();
  }

  return {
    clock,
    batch,
    cloud,
    clouds,
    bootstrap,
    store,
    pool,
    killed: nature.killed,
    get controller() {
      return controller;
    },
    set controller(next) {
      controller = next;
    },
    submit: nature.submit,
    async pass(ms) {
      const end = clock.now() + ms;
      for (;;) {
        await look();
        if (clock.now() >= end) return;
        await clock.advance(Math.min(SECOND, end - clock.now()));
      }
    },
    async until(what, check, most = 3600 * SECOND) {
      const start = clock.now();
      while (!check()) {
        if (clock.now() - start > most) throw new Error(`${what}: not within ${most / SECOND} s of the world's time`);
        await this.pass(SECOND);
      }
      return clock.now() - start;
    },
    states: () => store.hosts().map((host) => host.state),
    operator(ask) {
      try {
        ask(controller.control);
      } catch (error) {
        if (!process.dead()) throw error;
        begin();
      }
    },
    async restart() {
      await controller[Symbol.asyncDispose]();
      begin();
    },
    async [Symbol.asyncDispose]() {
      await controller[Symbol.asyncDispose]();
      store[Symbol.dispose]();
    },
  };
}
