/**
 * Races: jobs submitted to a real Slurm at the very moment in which their node is drained, while the service, slurmctld,
 * and slurmd, sshd, cable and shared files of nodes fail for a moment. A job that is not run from its beginning to its end
 * is lost; who is to blame for one that ran again is found by race-verdict.ts, and which of them met a drain by
 * race-meetings.ts.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeDice } from '../../src/sim/dice.ts';
import { type Closing, leases, startLab, until } from '../support/lab.ts';
import { type Begun, counted, jobOf, meetingsIn, ranFolder, statesOf, verdict } from './race-account.ts';
import { hasEnded, shapeOf } from './race-jobs.ts';
import { meetings } from './race-meetings.ts';
import { ended, submit } from './race-run.ts';
import { makeTroubles } from './race-troubles.ts';
import type { Verdict } from './race-verdict.ts';
import { watchLog } from './race-watch.ts';

export interface RaceOptions {
  /** So many are to meet a drain; then no more begin. */
  readonly meetings: number;
  /** Nor after so many that met one or none. */
  readonly most: number;
  readonly seed: number;
  readonly name: string;
  readonly net: string;
  readonly portBase: number;
  /** Of the lab; as many jobs are on their way at one time. */
  readonly hosts: number;
  /** No race begins after so many seconds, nor after the signal; what was begun is ended and judged. */
  readonly seconds?: number;
  readonly signal?: AbortSignal | undefined;
  /** While fewer have met a drain the seconds count three times: for a machine that is very busy. */
  readonly least?: number;
  /** With so many of the races something is broken: 0 to 1. */
  readonly trouble: number;
  /** Of the slurmds that are killed so many stay dead: 0 to 1. It takes minutes until their jobs run elsewhere. */
  readonly forGood?: number;
  /** When no more races begin, each wait for what is still on its way may take so many seconds. */
  readonly patience: number;
  readonly onProgress?: (text: string) => void;
}

export interface RaceResult extends Verdict {
  /** Jobs submitted, and those of them that met a drain. */
  readonly races: number;
  readonly met: number;
  /** What else was not as it must be at the end. */
  readonly wrong: readonly string[];
  /** Nodes closed for going, and those of them that were opened again for a job that came in that moment. */
  readonly drains: number;
  readonly undrains: number;
  readonly machines: number;
  readonly leasesTwice: number;
  readonly kills: Readonly<Record<string, number>>;
  /** Seconds in which races were begun. */
  readonly took: number;
}

/** So many of the racers wait until their host has just been closed; the others come a moment before that, or after: 0 to 1. */
const AFTER = 0.8;
/** The longest wait for a drain, ms: while the service is down there is none. */
const NO_DRAIN = 15_000;
/** How often the meetings are counted, ms. */
const COUNTED = 500;

export async function races(t: Closing, options: RaceOptions): Promise<RaceResult> {
  const lab = await startLab(t, {
    ...{ name: options.name, net: options.net, portBase: options.portBase, hosts: options.hosts, bootTime: 0.2 },
    // Slurm writes local time into its log, and the verdict reads it.
    env: { LAB_CRED_EXPIRE: '30', ...(process.env.TZ === undefined ? {} : { TZ: process.env.TZ }) },
    settings: { POLL_INTERVAL: 1, CLEANUP_NODE_WAIT_TIME: 0, IDLE_NODE_WAIT_TIME: 0, JOIN_TIMEOUT: 60 },
  });
  mkdirSync(ranFolder(lab), { recursive: true });
  const troubles = makeTroubles(lab, await lab.start(), options.forGood ?? 0);
  await using watch = watchLog(join(lab.dir, 'log/slurmctld.log'));
  const begun: Begun[] = [];
  const wrong: string[] = [];
  const began = performance.now();
  const seconds = options.seconds ?? 24 * 3600;
  let number = 0;
  let count = { at: began, met: 0 };
  function met(): number {
    const at = performance.now();
    if (at > count.at + COUNTED) count = { at, met: meetings(begun, watch.notes).size };
    return count.met;
  }
  const late = () => (performance.now() - began) / 1000 > (met() < (options.least ?? 0) ? 3 * seconds : seconds);
  const over = () => met() >= options.meetings || number >= options.most || late() || options.signal?.aborted === true;

  async function racer(own: string): Promise<void> {
    while (!over()) {
      number++;
      const mine = number;
      const roll = makeDice(options.seed * 1_000_003 + mine);
      const shape = shapeOf(roll, own);
      if (roll() < options.trouble) troubles.begin(roll);
      const id = await submit(lab, mine, shape);
      begun.push({ number: mine, id, tasks: shape.tasks, hosts: shape.hosts });
      await ended(lab, mine, shape, over, options.patience);
      // An idle node is drained at the next look: a second later at most.
      const early = roll() > AFTER && (await watch.before(own, roll() * 500));
      if (!early && (await watch.drain(own, NO_DRAIN))) await sleep(roll() * 250);
      if (mine % 50 === 0)
        options.onProgress?.(`${mine} races, ${met()} met a drain, ${troubles.breaks.length} troubles`);
    }
  }

  options.signal?.addEventListener('abort', () => {
    // Who sent it may give us no more than a second. The states of the jobs stay unknown here, and what has not ended.
    const over = begun.map((one) => jobOf(lab, one, [])).filter((job) => hasEnded(job.runs, job.tasks));
    options.onProgress?.(
      `ended by a signal; of ${over.length} jobs that had ended ${verdict(lab, over, troubles).lost.length} were lost`,
    );
  });
  const racers = await Promise.allSettled(Array.from({ length: options.hosts }, (_, i) => racer(`c${i + 1}`)));
  const took = (performance.now() - began) / 1000;
  for (const one of racers) if (one.status === 'rejected') wrong.push(`a race was given up: ${one.reason}`);
  const last = async (what: string, check: () => Promise<boolean>) =>
    await until(what, check, options.patience).catch((error: unknown) => void wrong.push(String(error)));
  await last('no job waits or runs', async () => {
    await troubles.mended();
    return (await lab.slurm('squeue', '-h')).trim() === '';
  });
  await last('all machines are gone', async () => (await lab.machines()).length === 0);
  wrong.push(...troubles.failures.map((text) => `not mended: ${text}`));
  const states = await statesOf(lab).catch((error: unknown) => {
    wrong.push(`the jobs' states are not known: ${error}`);
    return new Map<string, string[]>();
  });
  const jobs = begun.map((one) => jobOf(lab, one, states.get(`race-${one.number}`) ?? []));
  const made = leases(lab);
  return {
    ...verdict(lab, jobs, troubles),
    ...meetingsIn(lab, begun),
    ...{ races: begun.length, wrong, took, kills: counted(troubles) },
    ...{ machines: made.length, leasesTwice: made.length - new Set(made).size },
  };
}
