/**
 * The whole machine on one page: every part is built here, in the order in which it starts, and pushed on one stack,
 * which closes them in the reverse order.
 */

import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Batch } from './batch/batch.ts';
import { batchFamilies } from './batch/registry.ts';
import type { Bootstrap } from './bootstrap/bootstrap.ts';
import { ownKey } from './bootstrap/key.ts';
import { bootstrapKinds } from './bootstrap/registry.ts';
import type { Cloud } from './cloud/cloud.ts';
import { cloudKinds, keptHosts } from './cloud/registry.ts';
import type { Settings } from './config/settings.ts';
import { makeController } from './controller/controller.ts';
import type { Control } from './controller/view.ts';
import { sayError } from './domain/errors.ts';
import { list } from './domain/words.ts';
import type { Clock } from './lib/clock.ts';
import { makeFolder } from './lib/folder.ts';
import type { Log } from './lib/log.ts';
import type { Notify } from './lib/notify.ts';
import { converse, type Run } from './lib/run.ts';
import { serve } from './service/server.ts';
import { lockState } from './store/lock.ts';
import { openDatabase } from './store/open.ts';
import { sqliteStore } from './store/sqlite.ts';
import type { Store } from './store/store.ts';

export interface AppParts {
  readonly run: Run;
  readonly clock: Clock;
  readonly log: Log;
  readonly notify: Notify;
  readonly version: string;
  readonly pid: number;
}

/** A service whose last look is older than this is stuck: systemd is no longer told that it lives. ms */
const STUCK = 300_000;
/** ms */
const BOOTSTRAP_LIMIT = 20_000;

/** Builds and runs the service until the signal aborts. @throws LockedError and whatever keeps it from starting */
export async function runService(settings: Settings, parts: AppParts, signal: AbortSignal): Promise<void> {
  const { clock, log, notify } = parts;
  await using stack = new AsyncDisposableStack();
  try {
    await writable(settings.stateDir);
  } catch (error) {
    throw new Error(`STATE_DIR cannot be written (${sayError(error)}): make it and give it to the user of the service`);
  }
  stack.use(lockState(settings.stateDir, parts.pid));
  const stamp = new Date(clock.now()).toISOString().replace(/[-:]|\..*/g, '');
  const { db, setAside } = openDatabase(join(settings.stateDir, 'state.db'), stamp);
  const store = stack.use(sqliteStore(db));
  if (setAside !== null) {
    const text = `the database was damaged: set aside as ${setAside}; hosts are found again in the batch system and the cloud`;
    store.event('error', null, text, clock.now());
    log.error(text);
  }
  const ports = makePorts(settings, parts);
  // Before the first machine: a cloud puts the key it finds now into the machines it starts.
  try {
    log.info(await ports.bootstrap.check(AbortSignal.any([signal, AbortSignal.timeout(BOOTSTRAP_LIMIT)])));
  } catch (error) {
    log.error(`nodes cannot be prepared: ${sayError(error)}`);
  }
  let lastLook = clock.monotonic();
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
      memoryLost: setAside !== null,
      onLook: (summary) => {
        lastLook = clock.monotonic();
        void notify.status(summary);
      },
    }),
  );
  keepHandmade(settings, store, controller.control);
  stack.use(await serve(controller.control, { socket: settings.apiSocket, log, clock }));
  for (const notice of settings.notices) log.warn(notice);
  const { pool } = settings;
  log.info(
    `hybrid-cloud ${parts.version} watches queue ${pool.queue} (${settings.batchSystem}), up to ${pool.limits.maxNodes} nodes from ${settings.cloud}: ${list(pool.hosts.map((host) => host.name))}`,
    { policy: pool.policy, state: settings.stateDir },
  );
  await notify.ready(`watching queue ${pool.queue}`);
  const beat = signOfLife(parts, signal, () => clock.monotonic() - lastLook < STUCK);
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
