/**
 * What the service itself did to the gate of each host. A script that only counts jobs tells nothing of nodes, so this is
 * all there is to know which host is open. It is kept in a file, since a service that forgot it would take a closed host
 * for an open one after every restart.
 *
 * An open host may have a job while any job runs. After it was closed that stays so until no job at all has run for a
 * while: a job on its way from waiting to running is in neither count for some seconds (Slurm: CF), and the
 * specification's functions do not count it.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { Closed } from '../../domain/node.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';

/** How long no job may have run before a closed host counts as free of jobs, ms. */
export const SETTLES = 30_000;

/** How long after the last try an opening counts as under way, ms. */
const TRIED = 120_000;

/**
 * `opening` was asked for and not confirmed: it is asked for again, and may have a job. `settled`: closed, and known to
 * have no job.
 */
const gateShape = z.object({ gate: z.enum(['opening', 'open', 'closed', 'settled']), reason: z.string().default('') });
const fileShape = z.object({ hosts: z.record(z.string(), gateShape) });
type Gate = z.infer<typeof gateShape>;

export interface GateMemory {
  /**
   * An unknown host counts as open: the service closes what should not be. One that is being opened counts as closed as
   * long as it is tried, so that it is tried again, and as unknown afterwards.
   */
  closed(host: string): Extract<Closed, 'ours' | 'no'>;
  isOpen(host: string): boolean;
  reason(host: string): string;
  mayHaveJob(host: string): boolean;
  set(hosts: readonly string[], gate: Gate['gate'], reason?: string): void;
  /** A reading of the counts that was complete. @param running jobs that run, anywhere in the queue */
  counted(running: number): void;
}

/** @param file null = nothing is kept beyond this process */
export function makeGateMemory(file: string | null, clock: Clock, log: Log): GateMemory {
  const hosts = new Map<string, Gate>(Object.entries(read(file, log)));
  /** Since when each host is closed and no job was seen running, ms of the monotonic clock. */
  const quiet = new Map<string, number>();
  /** When opening was last tried, ms of the monotonic clock. */
  const tried = new Map<string, number>();

  function keep(): void {
    if (file === null) return;
    try {
      writeFileSync(`${file}.new`, `${JSON.stringify({ hosts: Object.fromEntries(hosts) }, null, 1)}\n`, {
        mode: 0o600,
      });
      renameSync(`${file}.new`, file);
    } catch (error) {
      log.error(`what is closed cannot be kept: ${(error as Error).message}`);
    }
  }

  return {
    closed(host) {
      const gate = hosts.get(host)?.gate;
      const at = tried.get(host);
      const trying = gate === 'opening' && at !== undefined && clock.monotonic() - at < TRIED;
      return gate === 'closed' || gate === 'settled' || trying ? 'ours' : 'no';
    },
    isOpen: (host) => hosts.get(host)?.gate === 'open',
    reason: (host) => hosts.get(host)?.reason ?? '',
    mayHaveJob: (host) => hosts.get(host)?.gate !== 'settled',
    set(names, gate, reason = '') {
      for (const host of names) {
        hosts.set(host, { gate, reason });
        quiet.delete(host);
        if (gate === 'opening') tried.set(host, clock.monotonic());
      }
      if (names.length > 0) keep();
    },
    counted(running) {
      if (running > 0) {
        quiet.clear();
        return;
      }
      let changed = false;
      for (const [host, { gate, reason }] of hosts) {
        if (gate !== 'closed') continue;
        const since = quiet.get(host) ?? clock.monotonic();
        quiet.set(host, since);
        if (clock.monotonic() - since < SETTLES) continue;
        hosts.set(host, { gate: 'settled', reason });
        changed = true;
      }
      if (changed) keep();
    },
  };
}

function read(file: string | null, log: Log): Readonly<Record<string, Gate>> {
  if (file === null) return {};
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return {};
  }
  try {
    return fileShape.parse(JSON.parse(text)).hosts;
  } catch {
    log.warn(`${file} cannot be read: hosts that should be closed are closed again`);
    return {};
  }
}
