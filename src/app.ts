/**
 * The whole machine on one page: every part is built here, in the order in which it starts, and pushed on one stack,
 * which closes them in the reverse order.
 */

import { accessSync, constants } from 'node:fs';
import type { Batch } from './batch/batch.ts';
import { batchFamilies, slurmConfLines } from './batch/registry.ts';
import type { Bootstrap } from './bootstrap/bootstrap.ts';
import { ownKey } from './bootstrap/key.ts';
import { bootstrapKinds } from './bootstrap/registry.ts';
import type { RenderFlags } from './cli/parts.ts';
import type { Cloud } from './cloud/cloud.ts';
import { cloudKinds, keptHosts, renderAddHost } from './cloud/registry.ts';
import type { Settings } from './config/settings.ts';
import { hostsLines } from './controller/check/hosts-file.ts';
import { makeController } from './controller/controller.ts';
import { fenced } from './controller/fence.ts';
import { greetNodes } from './controller/greet.ts';
import type { Control } from './controller/view.ts';
import { inWallTime } from './controller/wall.ts';
import { sayError } from './domain/errors.ts';
import { list } from './domain/words.ts';
import { type Clock, sinceBoot } from './lib/clock.ts';
import { makeFolder } from './lib/folder.ts';
import type { Log } from './lib/log.ts';
import type { Notify } from './lib/notify.ts';
import { converse, type Run } from './lib/run.ts';
import { steadyClock } from './lib/steady.ts';
import { groupId } from './service/group.ts';
import { serve } from './service/server.ts';
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
  let lastLook = parts.clock.monotonic();
  const beat = signOfLife(parts, signal, () => parts.clock.monotonic() - lastLook < STUCK);
  const work = await takeOver(settings, parts, signal, () => {
    lastLook = parts.clock.monotonic();
  });
  if (work === null) return;
  stack.use(work);
  const clock = steadyClock(parts.clock);
  const carried = carryClocks(work.db, { wall: clock.now(), boot: sinceBoot() });
  const store = stack.use(wallStore(sqliteStore(work.db), parts.clock));
  stack.use(keepState(work.db, settings, { clock: parts.clock, steady: clock, boot: sinceBoot, log, end: parts.end }));
  const say = (level: 'info' | 'warn' | 'error', text: string) => {
    store.event(level, null, text, clock.now());
    log[level](text);
  };
  for (const text of work.news) say(work.rebuilt ? 'error' : 'warn', text);
  if (work.rebuilt) store.setBrake(listsFirst(clock.now()));
  if (carried !== 0) say('info', 'clocks are carried on from before the start: what had elapsed then has elapsed now');
  const ports = fenced(makePorts(settings, parts), work.duty.check);
  if (work.rebuilt) await Promise.all(settings.pool.hosts.map((host) => ports.bootstrap.forget(host).catch(() => {})));
  // Before the first machine: a cloud puts the key it finds now into the machines it starts.
  try {
    log.info(await ports.bootstrap.check(AbortSignal.any([signal, AbortSignal.timeout(BOOTSTRAP_LIMIT)])));
  } catch (error) {
    log.error(`nodes cannot be prepared: ${sayError(error)}`);
  }
  const controller = stack.use(
    makeController({
      ...ports,
      pool: settings.pool,
      store,
      clock,
      log,
      pollInterval: settings.pollInterval,
      version: parts.version,
      pid: parts.pid,
      onLook: (summary) => {
        lastLook = clock.monotonic();
        void notify.status(summary);
      },
    }),
  );
  stack.use(greetNodes({ bootstrap: ports.bootstrap, store, clock, log }));
  keepHandmade(settings, store, controller.control);
  const control = inWallTime(controller.control, clock.offset, () => ({ active: activeView(work.duty) }));
  const group = settings.apiGroup === null ? null : await groupId(parts.run, settings.apiGroup);
  stack.use(await serve(control, { socket: settings.apiSocket, group, log, clock }));
  for (const notice of settings.notices) log.warn(notice);
  const { pool } = settings;
  log.info(
    `hybrid-cloud ${parts.version} watches queue ${pool.queue} (${settings.batchSystem}), up to ${pool.limits.maxNodes} nodes from ${settings.cloud}: ${list(pool.hosts.map((host) => host.name))}`,
    { policy: pool.policy, state: settings.stateDir },
  );
  await notify.ready(`watching queue ${pool.queue}`);
  await controller.run(signal);
  await notify.stopping();
  await beat;
  log.info('stopped; what was under way is taken up again at the next start');
}

/** CLOUD=vcp: hosts that were built by hand are listed by the cloud and are not ours to drain or delete. */
function keepHandmade(settings: Settings, store: Store, control: Control): void {
  if (settings.cloud !== 'vcp') return;
  for (const host of keptHosts(settings.values.cloud, settings.pool.hosts)) {
    if (store.host(host)?.held === false) control.hold(host, 'VCP_KEEP_HOSTS');
  }
}

/** The three adapters that the settings name. */
export function makePorts(
  settings: Settings,
  parts: Pick<AppParts, 'run' | 'clock' | 'log'>,
): { batch: Batch; cloud: Cloud; bootstrap: Bootstrap } {
  const { run, clock, log } = parts;
  return {
    batch: chosen(batchFamilies, settings.batchSystem).make(settings.values.batch, {
      run,
      clock,
      log,
      stateDir: settings.stateDir,
    }),
    cloud: chosen(cloudKinds, settings.cloud).make(settings.values.cloud, {
      run,
      converse,
      clock,
      log,
      pool: settings.pool,
      configDir: settings.configDir,
      publicKey: async () => (await ownKey(run, settings.stateDir)).publicText,
    }),
    bootstrap: chosen(bootstrapKinds, settings.bootstrap).make(settings.values.bootstrap, {
      run,
      clock,
      log,
      stateDir: settings.stateDir,
    }),
  };
}

/** The words in front of the batch system's commands: on the other side of them is the head node. */
export function headPrefix(settings: Settings): readonly string[] {
  const prefix = settings.values.batch.BATCH_RUN_PREFIX;
  return Array.isArray(prefix) ? prefix.map(String) : [];
}

/** For `render`: lines for another file, and what to know besides. */
export function rendered(
  { pool: { hosts, queue }, values, configDir }: Settings,
  ask: Pick<RenderFlags, 'what' | 'cpus' | 'memory'>,
): { lines: readonly string[]; notes: readonly string[] } {
  if (ask.what === 'hosts') return { lines: hostsLines(hosts), notes: [] };
  if (ask.what === 'add-host') return renderAddHost(values.cloud, configDir, hosts);
  const lines = slurmConfLines({ queue, hosts, cpus: ask.cpus, memoryMiB: ask.memory });
  const known = ask.cpus !== undefined && ask.memory !== undefined;
  const size =
    'add --cpus and --memory: what slurmd -C prints on a machine of the cloud; the service calculates with it';
  return { lines, notes: known ? [] : [size] };
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
