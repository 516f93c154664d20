/**
 * The dead-man switch of a node: what is put there, and the sign of life that keeps it from acting.
 */
import { readFileSync } from 'node:fs';
import type { Host } from '../domain/host.ts';
import { randomId } from '../lib/ids.ts';
import { shellQuote } from '../lib/quote.ts';

const SCRIPT = readFileSync(new URL('./dead-man.sh', import.meta.url), 'utf8');

/** Where it lives on the node: gone after a reboot, as the mount is, and put there anew by the next preparing. */
const PLACE = '/run/hybrid-cloud';

export interface DeadManOptions {
  readonly dir?: string;
  /** Seconds between two looks, and for which the daemon is frozen. */
  readonly step?: number;
  readonly pause?: number;
  readonly proc?: string;
  readonly stop?: string;
}

/** How often the service shows that it lives, ms: five times in DEAD_MAN_TIME. */
export function greetEvery(limit: number): number {
  return limit / 5;
}

/**
 * The watcher's script for one host, its values in front.
 * @param limit DEAD_MAN_TIME, ms
 */
export function watcher(host: Host, limit: number, options: DeadManOptions = {}): string {
  const values = {
    dm_dir: options.dir ?? PLACE,
    dm_name: host.name,
    dm_limit: String(Math.ceil(limit / 1000)),
    dm_step: String(options.step ?? 20),
    dm_pause: String(options.pause ?? 10),
    dm_proc: options.proc ?? '/proc',
    dm_stop: options.stop ?? 'systemctl poweroff || poweroff || poweroff -f || halt -p -f',
  };
  const head = Object.entries(values).map(([name, value]) => `${name}=${shellQuote(value)}\n`);
  return head.join('') + SCRIPT;
}

/** For `prepare.sh`: the watcher's text and where it goes. Started anew at each preparing; the one before ends by itself. */
export function watcherValues(host: Host, limit: number | null): Readonly<Record<string, string>> {
  return limit === null
    ? { hc_watcher: '', hc_watcher_dir: '' }
    : { hc_watcher: watcher(host, limit), hc_watcher_dir: PLACE };
}

/** The sign of life, as a script for the node: a word that was never there before. */
export function greeting(dir = PLACE): string {
  return `[ ! -d ${shellQuote(dir)} ] || printf '%s\\n' ${randomId('')} >${shellQuote(`${dir}/alive`)}\n`;
}
