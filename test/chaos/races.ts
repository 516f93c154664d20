/**
 * `./hybrid-cloud test --races N`: jobs submitted to a real Slurm at the very moment in which their node is drained, N of
 * them, while the service is killed, slurmctld stops and the cables of nodes are pulled for a moment. A job that does not
 * run exactly once from its beginning to its end is lost.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { makeDice } from '../../src/sim/dice.ts';
import type { TestParts } from '../run-all.ts';
import { type Closing, type Lab, labSkip, leases, type Service, startLab, until } from '../support/lab.ts';

const exec = promisify(execFile);

export interface RaceOptions {
  readonly races: number;
  readonly seed: number;
  readonly name: string;
  readonly net: string;
  readonly portBase: number;
  /** No race begins after so many seconds; what was begun is ended. */
  readonly seconds?: number;
  /** Kill the service, stop slurmctld, pull cables. */
  readonly trouble: boolean;
  readonly onProgress?: (text: string) => void;
}

export interface RaceResult {
  readonly races: number;
  /** Jobs that did not run exactly once to their end: what became of each. */
  readonly lost: readonly string[];
  /** Races in which the node had been closed when the job came, and was opened for it or the job found another one. */
  readonly drains: number;
  readonly undrains: number;
  readonly machines: number;
  readonly leasesTwice: number;
  readonly kills: Readonly<Record<string, number>>;
}

/** Hosts of the lab; as many jobs are on their way at one time. */
const HOSTS = 4;
/** A job that has not ended after so many seconds is lost. */
const LONGEST = 180;

export async function races(t: Closing, options: RaceOptions): Promise<RaceResult> {
  const lab = await startLab(t, {
    ...{ name: options.name, net: options.net, portBase: options.portBase, hosts: HOSTS, bootTime: 1 },
    settings: { POLL_INTERVAL: 1, CLEANUP_NODE_WAIT_TIME: 0, IDLE_NODE_WAIT_TIME: 0, JOIN_TIMEOUT: 60 },
  });
  const roll = makeDice(options.seed);
  const ran = join(lab.dir, 'export/ran');
  mkdirSync(ran, { recursive: true });
  let service = await lab.start();
  const kills: Record<string, number> = {};
  const lost: string[] = [];
  let begun = 0;
  const end = performance.now() + (options.seconds ?? 24 * 3600) * 1000;
  const over = () => begun >= options.races || performance.now() > end;

  async function racer(): Promise<void> {
    while (!over()) {
      begun++;
      const number = begun;
      // An idle node is drained at the next look: a second later at most, and the next job comes in the middle of it.
      const id = await lab.submit(jobOf(ran, number, roll() * 0.6), '--exclusive', '--no-requeue');
      const file = join(ran, String(number));
      try {
        await until(`job ${id}`, () => linesOf(file).includes('end'), LONGEST);
      } catch {
        lost.push(`${id}: ${await lab.jobState(id).catch(() => 'not known')}`);
      }
      await sleep(roll() * 1300);
      if (number % 50 === 0) options.onProgress?.(`${number} races, ${lost.length} jobs lost`);
    }
  }

  async function trouble(): Promise<void> {
    while (options.trouble && !over()) {
      await sleep(2000 + roll() * 4000);
      const what = Math.floor(roll() * 4);
      if (over()) return;
      if (what <= 1) {
        service = await killed(lab, service);
        count(kills, 'service killed');
      } else if (what === 2) {
        await lab.slurmctld('stop');
        await sleep(500 + roll() * 1500);
        await lab.slurmctld('start');
        count(kills, 'slurmctld stopped');
      } else {
        const device = `hc-${options.name}-c${1 + Math.floor(roll() * HOSTS)}`;
        if (await pulled(device, 500 + roll() * 2000)) count(kills, 'cables pulled');
      }
    }
  }

  await Promise.all([...Array.from({ length: HOSTS }, racer), trouble()]);
  await until('all machines are gone', async () => (await lab.machines()).length === 0, 180);
  for (let number = 1; number <= begun; number++) {
    const lines = linesOf(join(ran, String(number)));
    if (lines.join(' ') !== 'start end') lost.push(`race ${number}: ${lines.join(' ') || 'never ran'}`);
  }
  const events = (await lab.events()).map((event) => event.text);
  const made = leases(lab);
  return {
    ...{ races: begun, lost, kills, machines: made.length, leasesTwice: made.length - new Set(made).size },
    drains: events.filter((text) => text.includes('ready -> draining')).length,
    undrains: events.filter((text) => text.includes('draining -> ready')).length,
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
  const { RACES_SECONDS: seconds } = parts.env;
  const result = await races(closing, {
    ...{ races: count, seed, name: 'races', net: '10.82.40', portBase: 22400, trouble: true },
    ...(seconds === undefined ? {} : { seconds: Number(seconds) }),
    onProgress: (text) => parts.write(`${text}, ${((parts.clock.monotonic() - began) / 1000).toFixed(0)} s\n`),
  });
  const kills = Object.entries(result.kills).map(([what, n]) => `${what} ${n} times`);
  parts.write(
    `\n${result.races} races on real Slurm (seed ${seed}): ${result.lost.length} jobs lost, ${result.leasesTwice} leases with two machines. ` +
      `${result.machines} machines made; of the last 1000 events ${result.drains} drains, ${result.undrains} called off; ${kills.join(', ')}\n`,
  );
  for (const one of result.lost) parts.write(`  ${one}\n`);
  return result.lost.length > 0 || result.leasesTwice > 0 ? 1 : 0;
}

function jobOf(folder: string, number: number, seconds: number): string {
  const file = `${folder}/${number}`;
  return `echo start >>${file}\nsleep ${seconds.toFixed(2)}\necho end >>${file}`;
}

function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
}

async function killed(lab: Lab, service: Service): Promise<Service> {
  await service.kill();
  return lab.start();
}

/** The node's cable is out for so many ms. @returns whether there was one */
async function pulled(device: string, ms: number): Promise<boolean> {
  try {
    await exec('ip', ['link', 'set', device, 'down']);
    await sleep(ms);
    await exec('ip', ['link', 'set', device, 'up']);
    return true;
  } catch {
    return false;
  }
}

function count(of: Record<string, number>, what: string): void {
  of[what] = (of[what] ?? 0) + 1;
}
