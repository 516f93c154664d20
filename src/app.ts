/**
 * The whole machine on one page: every part is built here, in the order in which it starts, and pushed on one stack,
 * which closes them in the reverse order.
 */

import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Batch } from './batch/batch.ts';
import { batchFamilies, slurmConfLines } from './batch/registry.ts';
import type { Bootstrap } from './bootstrap/bootstrap.ts';
import { ownKey } from './bootstrap/key.ts';
import { bootstrapKinds } from './bootstrap/registry.ts';
import type { RenderFlags } from './cli/parts.ts';
import { cloudKinds, keptHosts, renderAddHost } from './cloud/registry.ts';
import type { PoolSettings, Settings } from './config/settings.ts';
import { hostsLines } from './controller/check/hosts-file.ts';
import { brakeKeys, type NamedCloud } from './controller/clouds.ts';
import { type Controller, makeController } from './controller/controller.ts';
import { fenced } from './controller/fence.ts';
import { greetNodes } from './controller/greet.ts';
import type { Control } from './controller/view.ts';
import { inWallTime } from './controller/wall.ts';
import { sayError } from './domain/errors.ts';
import type { Machine } from './domain/machine.ts';
import { list } from './domain/words.ts';
import { type Clock, sinceBoot } from './lib/clock.ts';
import { makeFolder } from './lib/folder.ts';
import { type Log, logOf } from './lib/log.ts';
import type { Notify } from './lib/notify.ts';
import { converse, type Run } from './lib/run.ts';
import { steadyClock } from './lib/steady.ts';
import { groupId } from './service/group.ts';
import type { PoolControl } from './service/pools.ts';
import { serve } from './service/server.ts';
import { adoptPools } from './store/adopt.ts';
import { carryClocks } from './store/carry.ts';
import { keepState } from './store/keep.ts';
import { sqliteStore } from './store/sqlite.ts';
import type { Store } from './store/store.ts';
import { listsFirst, wallStore } from './store/wall.ts';
import { activeView, takeOver } from './takeover.ts';

export interface AppParts {
  readonly run: Run;
  readonly clock: Clock;
  readonly log: Log;
  readonly notify: Notify;
  readonly version: string;
  readonly pid: number;
  /** `run --standby`. */
  readonly standby: boolean;
  /** Ends the process here and now, whatever is under way: another one has taken over. */
  readonly end: (code: number) => never;
}

/** A service whose last look is older than this is stuck: systemd is no longer told that it lives. ms */
const STUCK = 300_000;
/** ms */
const BOOTSTRAP_LIMIT = 20_000;

/** Builds and runs the service until the signal aborts. @throws LockedError and whatever keeps it from starting */
export async function runService(settings: Settings, parts: AppParts, signal: AbortSignal): Promise<void> {
  const { log, notify } = parts;
  await using stack = new AsyncDisposableStack();
  try {
    await writable(settings.stateDir);
  } catch (error) {
    throw new Error(`STATE_DIR cannot be written (${sayError(error)}): make it and give it to the user of the service`);
  }
  const looks = new Map<string, { at: number; summary: string }>([['', lookedNow(parts.clock)]]);
  const stuck = () => [...looks.values()].some((look) => parts.clock.monotonic() - look.at >= STUCK);
  // A service that fails to start ends at once: signs of life must not keep it.
  const ended = new AbortController();
  stack.defer(() => ended.abort());
  const beat = signOfLife(parts, AbortSignal.any([signal, ended.signal]), () => !stuck());
  const work = await takeOver(settings, parts, signal, () => looks.set('', lookedNow(parts.clock)));
  if (work === null) return;
  looks.delete('');
  stack.use(work);
  const { db } = work;
  const clock = steadyClock(parts.clock);
  const carried = carryClocks(db, { wall: clock.now(), boot: sinceBoot() });
  const whole = stack.use(wallStore(sqliteStore(db), parts.clock));
  stack.use(keepState(db, settings, { clock: parts.clock, steady: clock, boot: sinceBoot, log, end: parts.end }));
  const tell = (text: string, level: 'info' | 'warn' | 'error' = 'error') => {
    whole.event(level, null, text, clock.now());
    log[level](text);
  };
  for (const text of work.news) tell(text, work.rebuilt ? 'error' : 'warn');
  if (carried !== 0) tell('clocks are carried on from before the start: what had elapsed then has elapsed now', 'info');
  const pools = settings.pools.map((one) => one.pool);
  for (const { host, pool, machineId } of adoptPools(db, pools)) {
    tell(
      `${host} has a machine (${machineId ?? 'id unknown'}) and its pool ${pool} is configured no more: it is left as it is; configure the pool again, or take the machine away by hand`,
    );
  }
  const running: PoolControl[] = [];
  const controllers: Controller[] = [];
  const stores = new Map<string, Store>();
  // One account may serve several pools: its list has the machines of all of them.
  const elsewhere = (pool: string) => (machine: Machine) =>
    [...stores].some(
      ([name, store]) =>
        name !== pool && store.hosts().some((host) => host.name === machine.host && host.ip === machine.ip),
    );
  for (const one of settings.pools) {
    const { pool } = one;
    const several = pools.length > 1;
    const own = { ...parts, log: several ? logOf(log, pool.name) : log };
    if (several) makeFolder(poolFolder(settings, pool.name), 0o700);
    const ports = fenced(makePorts(settings, one, own), work.duty.check);
    if (work.rebuilt) await Promise.all(pool.hosts.map((host) => ports.bootstrap.forget(host).catch(() => {})));
    // Before the first machine: a cloud puts the key it finds now into the machines it starts.
    try {
      own.log.info(await ports.bootstrap.check(AbortSignal.any([signal, AbortSignal.timeout(BOOTSTRAP_LIMIT)])));
    } catch (error) {
      own.log.error(`nodes cannot be prepared: ${sayError(error)}`);
    }
    const store = wallStore(sqliteStore(db, { pool: pool.name }), parts.clock);
    if (work.rebuilt) for (const key of brakeKeys(ports.clouds)) store.setBrake(listsFirst(clock.now()), key);
    stores.set(pool.name, store);
    looks.set(pool.name, lookedNow(clock));
    const controller = stack.use(
      makeController({
        ...ports,
        pool,
        store,
        clock,
        log: own.log,
        elsewhere: elsewhere(pool.name),
        wallOffset: clock.offset,
        pollInterval: settings.pollInterval,
        version: parts.version,
        pid: parts.pid,
        onLook: (summary) => {
          looks.set(pool.name, { at: clock.monotonic(), summary });
          const all = [...looks].map(([name, look]) => `${name}: ${look.summary}`);
          void notify.status(several ? all.join('; ') : summary);
        },
      }),
    );
    stack.use(greetNodes({ bootstrap: ports.bootstrap, store, clock, log: own.log }));
    keepHandmade(one, store, controller.control);
    controllers.push(controller);
    const control = inWallTime(controller.control, clock.offset, () => ({
      active: activeView(work.duty, parts.standby),
    }));
    running.push({ name: pool.name, control });
  }
  const group = settings.apiGroup === null ? null : await groupId(parts.run, settings.apiGroup);
  stack.use(await serve(running, { socket: settings.apiSocket, group, log, clock }));
  for (const notice of settings.notices) log.warn(notice);
  for (const { pool, clouds } of settings.pools) {
    const from = list(clouds.map((cloud) => (clouds.length > 1 ? cloud.name : cloud.kind)));
    log.info(
      `hybrid-cloud ${parts.version} watches queue ${pool.queue} (${settings.batchSystem}), up to ${pool.limits.maxNodes} nodes from ${from}: ${list(pool.hosts.map((host) => host.name))}`,
      { policy: pool.policy, state: settings.stateDir },
    );
  }
  const queues = pools.map((pool) => pool.queue);
  await notify.ready(`watching ${queues.length > 1 ? 'queues' : 'queue'} ${list(queues)}`);
  await Promise.all(controllers.map((controller) => controller.run(signal)));
  await notify.stopping();
  await beat;
  log.info('stopped; what was under way is taken up again at the next start');
}

function lookedNow(clock: Clock): { at: number; summary: string } {
  return { at: clock.monotonic(), summary: 'not looked yet' };
}

/** CLOUD=vcp: hosts that were built by hand are listed by the cloud and are not ours to drain or delete. */
function keepHandmade({ clouds }: PoolSettings, store: Store, control: Control): void {
  for (const cloud of clouds) {
    if (cloud.kind !== 'vcp') continue;
    for (const host of keptHosts(cloud.values, cloud.hosts)) {
      if (store.host(host)?.held === false) control.hold(host, 'VCP_KEEP_HOSTS');
    }
  }
}

/** The adapters that the settings name for one pool. */
export function makePorts(
  settings: Settings,
  { pool, clouds, bootstrap, bootstrapValues }: PoolSettings,
  parts: Pick<AppParts, 'run' | 'clock' | 'log'>,
): { batch: Batch; clouds: readonly NamedCloud[]; bootstrap: Bootstrap } {
  const { run, clock, log } = parts;
  const { stateDir, configDir } = settings;
  // What a batch adapter remembers is about one queue, so each of several pools has an adapter of its own.
  const own = settings.pools.length > 1 ? poolFolder(settings, pool.name) : stateDir;
  return {
    batch: chosen(batchFamilies, settings.batchSystem).make(settings.values.batch, { run, clock, log, stateDir: own }),
    clouds: clouds.map(({ name, kind, values, hosts }) => ({
      name,
      cloud: chosen(cloudKinds, kind).make(values, {
        run,
        converse,
        clock,
        log,
        pool: { ...pool, hosts },
        configDir,
        publicKey: async () => (await ownKey(run, stateDir)).publicText,
      }),
    })),
    bootstrap: chosen(bootstrapKinds, bootstrap).make(bootstrapValues, { run, clock, log, stateDir }),
  };
}

function poolFolder({ stateDir }: Settings, pool: string): string {
  return join(stateDir, 'pools', encodeURIComponent(pool));
}

/** The words in front of the batch system's commands: on the other side of them is the head node. */
export function headPrefix(settings: Settings): readonly string[] {
  const prefix = settings.values.batch.BATCH_RUN_PREFIX;
  return Array.isArray(prefix) ? prefix.map(String) : [];
}

/** For `render`: lines for another file, and what to know besides. */
export function rendered(
  { pools, configDir }: Settings,
  ask: Pick<RenderFlags, 'what' | 'cpus' | 'memory'>,
): { lines: readonly string[]; notes: readonly string[] } {
  const hosts = pools.flatMap(({ pool }) => pool.hosts);
  if (ask.what === 'hosts') return { lines: hostsLines(hosts), notes: [] };
  const clouds = pools.flatMap((one) => one.clouds);
  const cloud = clouds.find((one) => one.kind === 'vcp') ?? clouds[0];
  if (ask.what === 'add-host') return renderAddHost(cloud?.values ?? {}, configDir, hosts);
  const size = { cpus: ask.cpus, memoryMiB: ask.memory };
  const lines = pools.flatMap(({ pool }) => slurmConfLines({ queue: pool.queue, hosts: pool.hosts, ...size }));
  const known = ask.cpus !== undefined && ask.memory !== undefined;
  const note =
    'add --cpus and --memory: what slurmd -C prints on a machine of the cloud; the service calculates with it';
  // What holds for the whole cluster is said once.
  return { lines: [...new Set(lines)], notes: known ? [] : [note] };
}

/** For `check`: can the state be kept there? Rejects with the reason. */
export async function writable(folder: string): Promise<void> {
  makeFolder(folder, 0o700);
  accessSync(folder, constants.W_OK | constants.X_OK);
}

function chosen<T>(family: Readonly<Record<string, T>>, name: string): T {
  const found = family[name];
  if (found === undefined) throw new Error(`${name} is not one of ${Object.keys(family).join(', ')}`);
  return found;
}

async function signOfLife({ clock, notify }: AppParts, signal: AbortSignal, alive: () => boolean): Promise<void> {
  if (notify.watchdogEvery === null) return;
  while (!signal.aborted) {
    if (alive()) await notify.watchdog();
    await clock.sleep(notify.watchdogEvery, signal);
  }
}
