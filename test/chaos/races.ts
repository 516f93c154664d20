/**
 * `./hybrid-cloud test --races N`: jobs submitted to a real Slurm at the very moment in which their node is drained, N of
 * them, while the service, slurmctld, and slurmd, sshd, cable and shared files of nodes fail for a moment. A job that is
 * not run from its beginning to its end is lost; who is to blame for one that ran again is found by race-verdict.ts.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeDice } from '../../src/sim/dice.ts';
import type { TestParts } from '../run-all.ts';
import { type Closing, type Lab, labSkip, leases, startLab, until } from '../support/lab.ts';
import { hasEnded, raceScript, readRuns, type Shape, shapeOf } from './race-jobs.ts';
import { makeTroubles, type Troubles } from './race-troubles.ts';
import { judge, type RaceJob, readTakenBack, type Verdict } from './race-verdict.ts';

export interface RaceOptions {
  readonly races: number;
  readonly seed: number;
  readonly name: string;
  readonly net: string;
  readonly portBase: number;
  /** Of the lab; as many jobs are on their way at one time. */
  readonly hosts: number;
  /** No race begins after so many seconds, nor after the signal; what was begun is ended and judged. */
  readonly seconds?: number;
  readonly signal?: AbortSignal | undefined;
  /** With so many of the races something is broken: 0 to 1. */
  readonly trouble: number;
  /** Of the slurmds that are killed so many stay dead: 0 to 1. It takes minutes until their jobs run elsewhere. */
  readonly forGood?: number;
  readonly onProgress?: (text: string) => void;
}

export interface RaceResult extends Verdict {
  readonly races: number;
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

type Begun = Pick<RaceJob, 'number' | 'id' | 'tasks'>;

/** A job that has not ended after so many seconds is lost: a dead node and a second try are in it. */
const LONGEST = 300;
/** The same when no more races begin. */
const LAST = 150;

export async function races(t: Closing, options: RaceOptions): Promise<RaceResult> {
  const lab = await startLab(t, {
    ...{ name: options.name, net: options.net, portBase: options.portBase, hosts: options.hosts, bootTime: 0.2 },
    env: { LAB_CRED_EXPIRE: '30' },
    settings: { POLL_INTERVAL: 1, CLEANUP_NODE_WAIT_TIME: 0, IDLE_NODE_WAIT_TIME: 0, JOIN_TIMEOUT: 60 },
  });
  mkdirSync(ranFolder(lab), { recursive: true });
  const troubles = makeTroubles(lab, await lab.start(), options.forGood ?? 0);
  const drains = countDrains(lab);
  const begun: Begun[] = [];
  const wrong: string[] = [];
  const began = performance.now();
  const end = began + (options.seconds ?? 24 * 3600) * 1000;
  let number = 0;
  const over = () => number >= options.races || performance.now() > end || options.signal?.aborted === true;

  async function racer(): Promise<void> {
    while (!over()) {
      number++;
      const mine = number;
      const roll = makeDice(options.seed * 1_000_003 + mine);
      const shape = shapeOf(roll);
      if (roll() < options.trouble) troubles.begin(roll);
      const id = await submit(lab, mine, shape);
      begun.push({ number: mine, id, tasks: shape.tasks });
      await ended(lab, mine, shape, over);
      // An idle node is drained at the next look: a second later at most, and the next job comes in the middle of it.
      await sleep(roll() * 1100);
      if (mine % 50 === 0) options.onProgress?.(`${mine} races, ${troubles.breaks.length} troubles`);
    }
  }

  const racers = await Promise.allSettled(Array.from({ length: options.hosts }, racer));
  const took = (performance.now() - began) / 1000;
  for (const one of racers) if (one.status === 'rejected') wrong.push(`a race was given up: ${one.reason}`);
  const last = async (what: string, check: () => Promise<boolean>) =>
    await until(what, check, LAST).catch((error: unknown) => void wrong.push(String(error)));
  await last('no job waits or runs', async () => {
    await troubles.mended();
    return (await lab.slurm('squeue', '-h')).trim() === '';
  });
  await last('all machines are gone', async () => (await lab.machines()).length === 0);
  wrong.push(...troubles.failures.map((text) => `not mended: ${text}`));
  const made = leases(lab);
  return {
    ...(await verdict(lab, begun, troubles)),
    ...(await drains.end()),
    ...{ races: begun.length, wrong, took, kills: counted(troubles) },
    ...{ machines: made.length, leasesTwice: made.length - new Set(made).size },
  };
}

/** @returns the exit code */
export async function longRaces(count: number, seed: number, parts: TestParts): Promise<number> {
  const skip = labSkip();
  if (skip !== false) {
    parts.write(`no race was run: ${skip}\n`);
    return 1;
  }
  await using stack = new AsyncDisposableStack();
  const closing = { after: (close: () => Promise<void>) => void stack.defer(close) };
  const began = parts.clock.monotonic();
  const { RACES_SECONDS: seconds, RACES_HOSTS: hosts = '12' } = parts.env;
  const result = await races(closing, {
    ...{ races: count, seed, name: 'races', net: '10.82.40', portBase: 22400, hosts: Number(hosts) },
    ...{ trouble: 0.12, forGood: 0.1, signal: parts.signal },
    ...(seconds === undefined ? {} : { seconds: Number(seconds) }),
    onProgress: (text) => parts.write(`${text}, ${((parts.clock.monotonic() - began) / 1000).toFixed(0)} s\n`),
  });
  const kills = Object.entries(result.kills).map(([what, n]) => `${what} ${n} times`);
  parts.write(
    `\n${result.races} races of ${count} on real Slurm (seed ${seed}) in ${result.took.toFixed(0)} s: ${result.lost.length} jobs lost, ` +
      `${result.leasesTwice} leases with two machines. ${result.machines} machines made; ${result.drains} drains, ` +
      `${result.undrains} called off; ${result.putBack} runs put back by Slurm; ${kills.join(', ')}\n`,
  );
  const bad = [...result.lost, ...result.wrong];
  for (const one of bad) parts.write(`  ${one}\n`);
  return bad.length > 0 || result.leasesTwice > 0 ? 1 : 0;
}

const ranFolder = (lab: Lab) => join(lab.dir, 'export/ran');

function runsOf(lab: Lab, number: number) {
  const file = join(ranFolder(lab), String(number));
  return readRuns(existsSync(file) ? readFileSync(file, 'utf8') : '');
}

/** sbatch whose answer is lost may have worked: the job's name tells. @returns the job's id */
async function submit(lab: Lab, number: number, shape: Shape): Promise<string> {
  const script = raceScript(join(ranFolder(lab), String(number)), join(lab.dir, 'node/shared/marker'), shape.works);
  let id = '';
  await until(
    `race ${number} is submitted`,
    async () => {
      const name = `race-${number}`;
      try {
        id = await lab.submit(script, '-J', name, '--requeue', ...shape.flags);
      } catch {
        const known = await lab.slurm('squeue', '-h', '-t', 'all', '-n', name, '-o', '%A');
        id = known.trim().split('\n')[0] ?? '';
      }
      return id !== '';
    },
    120,
  );
  return id;
}

/** Waits until the job's tasks have run, or too long; the verdict finds out what became of it. */
async function ended(lab: Lab, number: number, shape: Shape, over: () => boolean): Promise<void> {
  const begun = performance.now();
  let overSince = Number.POSITIVE_INFINITY;
  while (!hasEnded(runsOf(lab, number), shape.tasks)) {
    const now = performance.now();
    if (over()) overSince = Math.min(overSince, now);
    if (now > begun + LONGEST * 1000 || now > overSince + LAST * 1000) return;
    await sleep(100);
  }
}

async function verdict(lab: Lab, begun: readonly Begun[], troubles: Troubles): Promise<Verdict> {
  const states = new Map<string, string[]>();
  for (const line of (await lab.slurm('squeue', '-h', '-r', '-t', 'all', '-o', '%j %T')).split('\n')) {
    const [name = '', state = ''] = line.split(' ');
    states.set(name, [...(states.get(name) ?? []), state]);
  }
  const jobs = begun.map((one) => ({
    ...one,
    ...{ runs: runsOf(lab, one.number), states: states.get(`race-${one.number}`) ?? [] },
  }));
  return judge(jobs, {
    deletes: lab.account().filter((line) => line.what === 'delete'),
    takenBack: readTakenBack(readFileSync(join(lab.dir, 'log/slurmctld.log'), 'utf8')),
    breaks: troubles.breaks,
  });
}

/** Counts in the service's events, which keep only the newest: looks again and again. */
function countDrains(lab: Lab) {
  const seen = { newest: 0, drains: 0, undrains: 0 };
  async function look(): Promise<void> {
    for (const { id, text } of (await lab.events()).filter((event) => event.id > seen.newest)) {
      seen.newest = Math.max(seen.newest, id);
      if (text.includes('ready -> draining')) seen.drains++;
      if (text.includes('draining -> ready')) seen.undrains++;
    }
  }
  const ended = new AbortController();
  const looking = (async () => {
    while (!ended.signal.aborted) {
      await look().catch(() => {});
      await sleep(3000, undefined, { signal: ended.signal }).catch(() => {});
    }
  })();
  return {
    async end() {
      ended.abort();
      await looking;
      await look().catch(() => {});
      return { drains: seen.drains, undrains: seen.undrains };
    },
  };
}

function counted(troubles: Troubles): Record<string, number> {
  const of: Record<string, number> = {};
  for (const { what } of troubles.breaks) of[what] = (of[what] ?? 0) + 1;
  return of;
}
