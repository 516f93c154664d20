/**
 * The program: reads its environment once, and hands everything else what it needs.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cli } from './cli/cli.ts';
import type { Actions, Flags } from './cli/parts.ts';
import type { Settings } from './config/settings.ts';
import { systemClock } from './lib/clock.ts';
import type { Log } from './lib/log.ts';
import { inheritEnv, run } from './lib/run.ts';
import { apiClient } from './service/client.ts';

const { env } = process;
const root = join(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

// A folder that was removed under us would fail every command we run, with words that name none of it.
try {
  process.cwd();
} catch {
  process.chdir('/');
}

/** Batch systems find their server through these; children get nothing else of our environment but PATH, HOME... */
inheritEnv(env, [
  'SLURM_CONF',
  'SGE_ROOT',
  'SGE_CELL',
  'SGE_QMASTER_PORT',
  'SGE_EXECD_PORT',
  'PBS_DEFAULT',
  'PBS_SERVER',
  'PBS_EXEC',
  'PBS_CONF_FILE',
]);

/** The service ends within this time after SIGTERM, whatever still hangs: the next start mends it. ms */
const STOP_LIMIT = 4500;

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => stop.abort(new Error(name)));
}

const actions: Actions = {
  async run(flags) {
    const settings = await settingsOf(flags);
    if (settings === null) return 2;
    const log = await logOf(settings);
    const { runService } = await import('./app.ts');
    const { makeNotify } = await import('./lib/notify.ts');
    const notify = makeNotify({
      run,
      env: { NOTIFY_SOCKET: env.NOTIFY_SOCKET, WATCHDOG_USEC: env.WATCHDOG_USEC },
      trouble: (text) => log.warn(text),
    });
    const ended = new AbortController();
    stop.signal.addEventListener('abort', () => {
      void systemClock.sleep(STOP_LIMIT, ended.signal).then(() => {
        if (ended.signal.aborted) return;
        log.warn('stopping now: something did not end in time; the next start takes it up again');
        process.exit(0);
      });
    });
    try {
      const { pid } = process;
      const end = (code: number): never => process.exit(code);
      const { standby } = flags;
      await runService(settings, { run, clock: systemClock, log, notify, version, pid, standby, end }, stop.signal);
      return 0;
    } catch (error) {
      log.error(`cannot run: ${error instanceof Error ? error.message : String(error)}`);
      return 1;
    } finally {
      ended.abort();
    }
  },

  async check(flags) {
    const settings = await settingsOf(flags);
    if (settings === null) return 2;
    const { headPrefix, makePorts, writable } = await import('./app.ts');
    const { checkPools } = await import('./controller/check/check.ts');
    const { checkActive } = await import('./takeover.ts');
    const { describe } = await import('./config/settings.ts');
    const { renderCheck } = await import('./cli/render/check.ts');
    const { quietLog } = await import('./lib/log.ts');
    const parts = { run, clock: systemClock, log: quietLog };
    const pools = settings.pools.map((one) => ({ pool: one.pool, ports: makePorts(settings, one, parts) }));
    const names = { run, prefix: headPrefix(settings) };
    const tools = { clock: systemClock, writable, names, signal: stop.signal };
    const [active, found] = await Promise.all([checkActive(settings, systemClock), checkPools(settings, pools, tools)]);
    const lines = [...found, active];
    if (flags.json) print(JSON.stringify({ settings: describe(settings), lines }, null, 2));
    else print(renderCheck(lines, { color: flags.color, columns: columns(), now: systemClock.now() }).join('\n'));
    return lines.some((line) => line.ok === 'wrong') ? 1 : 0;
  },

  async render(flags) {
    const settings = await settingsOf(flags);
    if (settings === null) return 2;
    const { rendered } = await import('./app.ts');
    const { lines, notes } = rendered(settings, flags);
    print(lines.join('\n'));
    for (const note of notes) process.stderr.write(`${note}\n`);
    return 0;
  },

  async lab(flags) {
    const { lab } = await import('./cli/lab/lab.ts');
    const { labPlace } = await import('./cli/lab/place.ts');
    const parts = {
      run,
      clock: systemClock,
      place: labPlace(flags.batch === undefined ? env : { ...env, LAB_BATCH: flags.batch }),
      root,
      nodeBinary: process.execPath,
      out: process.stdout,
      err: process.stderr,
      color: flags.color,
      columns,
      rows: () => process.stdout.rows ?? 24,
      isTerminal: process.stdin.isTTY === true && process.stdout.isTTY === true,
      keys: process.stdin.isTTY === true ? process.stdin : undefined,
      openClient: apiClient,
      signal: stop.signal,
    };
    const { mode, json, socket } = flags;
    if (!flags.simulated || mode === 'up' || mode === 'down') return lab({ mode, json }, parts);
    const { labSimulated } = await import('./cli/lab/simulated.ts');
    return labSimulated({ mode, json, socket, version, pid: process.pid }, parts);
  },

  async test(flags) {
    const result = await run(
      [process.execPath, '--disable-warning=ExperimentalWarning', join(root, 'test/run-all.ts'), ...flags.what],
      {
        timeout: 3 * 3600_000,
        signal: stop.signal,
        inherit: true,
        env: { ...definedEnv(), HYBRID_CLOUD_NODE: process.execPath },
      },
    );
    return result.code ?? 1;
  },
};

/** Settings, or null after every mistake was printed. */
async function settingsOf(flags: Flags): Promise<Settings | null> {
  const { load } = await import('./config/load.ts');
  const { ConfigError } = await import('./config/problems.ts');
  const { batchFamilies, plannedFamilies } = await import('./batch/registry.ts');
  const { cloudKinds, plannedKinds } = await import('./cloud/registry.ts');
  const { bootstrapKinds } = await import('./bootstrap/registry.ts');
  const given: Record<string, string> = { ...flags.set };
  if (flags.configDir !== undefined) given.CONFIG_DIR = flags.configDir;
  if (flags.socket !== undefined) given.API_SOCKET = flags.socket;
  try {
    const planned = [...plannedFamilies, ...plannedKinds];
    const registries = { batch: batchFamilies, cloud: cloudKinds, bootstrap: bootstrapKinds, planned };
    return load({ flags: given, env, registries }).settings;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { oneLine } = await import('./lib/log.ts');
    for (const line of error.say()) process.stderr.write(`${oneLine(line)}\n`);
    return null;
  }
}

async function logOf(settings: Settings): Promise<Log> {
  const { makeLog } = await import('./lib/log.ts');
  const auto = env.JOURNAL_STREAM === undefined ? 'text' : 'journal';
  return makeLog({
    style: settings.logStyle === 'auto' ? auto : settings.logStyle,
    level: settings.logLevel,
    to: process.stderr,
    secrets: settings.secrets,
  });
}

function definedEnv(): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined));
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function columns(): number {
  return process.stdout.isTTY === true ? process.stdout.columns : Number.POSITIVE_INFINITY;
}

process.exitCode = await cli(process.argv.slice(2), {
  in: process.stdin,
  out: process.stdout,
  err: process.stderr,
  color: process.stdout.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb',
  columns: columns(),
  isTerminal: process.stdin.isTTY === true && process.stdout.isTTY === true,
  clock: systemClock,
  signal: stop.signal,
  version,
  defaults: { socket: env.API_SOCKET, user: env.SUDO_USER ?? env.USER },
  openClient: apiClient,
  actions,
});
