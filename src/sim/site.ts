/**
 * A whole site of fakes in real time: the real controller on a simulated batch system, cloud and bootstrap, all in this
 * process and in memory. It needs no root and leaves nothing behind.
 */
import { type FakeJobSpec, makeFakeBatch } from '../batch/fake.ts';
import { fakeBootstrap } from '../bootstrap/fake.ts';
import { fakeCloud } from '../cloud/fake.ts';
import { makeController } from '../controller/controller.ts';
import type { Control } from '../controller/view.ts';
import type { Pool } from '../domain/pool.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { memoryDatabase } from '../store/open.ts';
import { sqliteStore } from '../store/sqlite.ts';
import { type JobRecord, type MachineRecord, makeLedger } from './ledger.ts';
import { makeNature } from './nature.ts';

export interface SiteOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  readonly pid: number;
  readonly hosts: number;
  readonly cpus: number;
  /** ms from create to running. */
  readonly bootTime: number;
  /** ms: IDLE_NODE_WAIT_TIME and CLEANUP_NODE_WAIT_TIME. */
  readonly idle: number;
  /** ms: POLL_INTERVAL. */
  readonly poll: number;
}

export interface Site {
  readonly control: Control;
  /** Time passes, and the service works, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** A job that runs for so many ms once it starts. @returns its id */
  submit(spec: FakeJobSpec, runs: number): string;
  /** Takes away jobs that wait. */
  cancel(ids: readonly string[]): void;
  /** All jobs there ever were; tasks of an array one by one. */
  jobs(): readonly JobRecord[];
  /** The cloud's own account: all machines there ever were. */
  machines(): readonly MachineRecord[];
}

const SECOND = 1000;
/** How often the batch system and the machines move on, ms. */
const TICK = 100;
const MEMORY_MIB = 2000;
const STOP_TIME = SECOND;
/** Mounting and checking a node. */
const PREPARE_TIME = 500;

export function makeSite(options: SiteOptions): Site & Disposable {
  const { clock, cpus } = options;
  const pool = poolOf(options);
  const names = pool.hosts.map(({ name }) => name);
  const batch = makeFakeBatch({
    clock,
    queue: pool.queue,
    hosts: names.map((name) => ({ name, cpus, memoryMiB: MEMORY_MIB })),
  });
  const cloud = fakeCloud({ clock, bootTime: options.bootTime, stopTime: STOP_TIME });
  const ledger = makeLedger(clock);
  const nature = makeNature({ clock, batch, cloud, hosts: names, onStart: ledger.started, onEnd: ledger.ended });
  const bootstrap = fakeBootstrap({
    clock,
    takes: PREPARE_TIME,
    alive: (host) => nature.running().has(host.name),
  });
  const store = sqliteStore(memoryDatabase());
  const controller = makeController({
    pool,
    batch,
    clouds: [{ name: 'cloud', cloud }],
    bootstrap,
    store,
    clock,
    log: options.log,
    pollInterval: options.poll,
    version: options.version,
    pid: options.pid,
  });

  async function world(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      nature.step();
      ledger.see(cloud.machines());
      await clock.sleep(TICK, signal);
    }
  }

  return {
    control: controller.control,
    async run(signal) {
      await Promise.all([world(signal), controller.run(signal)]);
    },
    submit(spec, runs) {
      const id = nature.submit(spec, runs);
      ledger.submitted(id, spec.array ?? 0);
      return id;
    },
    cancel(ids) {
      for (const id of ids) {
        batch.finish(id);
        ledger.cancelled(id);
      }
    },
    jobs: ledger.jobs,
    machines: ledger.machines,
    [Symbol.dispose]: () => store[Symbol.dispose](),
  };
}

function poolOf({ hosts, idle, bootTime }: SiteOptions): Pool {
  return {
    name: 'cloud',
    queue: 'cloud',
    policy: 'demand',
    hosts: Array.from({ length: hosts }, (_, at) => ({
      name: `c${at + 1}`,
      ip: `10.77.${Math.floor(at / 100)}.${101 + (at % 100)}`,
    })),
    limits: { minNodes: 0, maxNodes: hosts, maxStarting: hosts },
    timing: {
      cleanup: idle,
      idle,
      boot: 60 * SECOND + 3 * bootTime,
      prepare: 60 * SECOND,
      join: 60 * SECOND,
      stop: 60 * SECOND,
    },
  };
}
