/**
 * What is broken while the races go on, and mended again: the service, slurmctld, and in one node its slurmd, its sshd, its
 * cable, its shared files. One trouble at a time for each of them, and everything is written down for the verdict.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dice } from '../../src/sim/dice.ts';
import type { Lab, NodeBreak, Service } from '../support/lab.ts';
import type { Break } from './race-verdict.ts';

export interface Troubles {
  /** Breaks something now, unless it is broken already. */
  begin(roll: Dice): void;
  /** Resolves when everything is mended and the service runs. */
  mended(): Promise<void>;
  readonly breaks: readonly Break[];
  /** What could not be mended, for the report. */
  readonly failures: readonly string[];
}

type Noted = { -readonly [Key in keyof Break]: Break[Key] };

interface NodeTrouble {
  readonly what: string;
  readonly out: NodeBreak;
  readonly back: NodeBreak;
}

const SLURMD: NodeTrouble = { what: 'slurmd killed', out: 'slurmd-kill', back: 'slurmd-start' };
const NODES: readonly NodeTrouble[] = [
  SLURMD,
  { what: 'sshd killed', out: 'sshd-kill', back: 'sshd-start' },
  { what: 'shared files gone', out: 'mount-away', back: 'mount-back' },
  { what: 'cable pulled', out: 'cable-out', back: 'cable-in' },
];
/** The service is no part of a node: that it is killed excuses nothing. */
const NO_NODE = '';
/** After so many ms a node whose slurmd stays dead has been replaced. */
const FOR_GOOD = 300_000;
/** A mending that fails is tried so often; the machine may be gone by then. */
const TRIES = 4;

/**
 * @param service the one that runs now
 * @param forGood a part of the killed slurmds stays dead: 0 to 1
 */
export function makeTroubles(lab: Lab, service: Service, forGood: number): Troubles {
  const breaks: Noted[] = [];
  const failures: string[] = [];
  const busy = new Set<string>();
  const open = new Set<Promise<void>>();
  let running = service;

  /** Notes the break before it happens, since the verdict must know of it however it goes on. */
  async function during(what: string, host: string | null, act: (noted: Noted) => Promise<boolean>): Promise<void> {
    const noted: Noted = { what, host, from: Date.now(), to: Number.POSITIVE_INFINITY };
    breaks.push(noted);
    const happened = await act(noted);
    if (!happened) breaks.splice(breaks.indexOf(noted), 1);
    else noted.to = Math.min(noted.to, Date.now());
  }

  const killService = () =>
    during('service killed', NO_NODE, async () => {
      await running.kill();
      running = await lab.start();
      return true;
    });

  const stopSlurmctld = (ms: number) =>
    during('slurmctld stopped', null, async () => {
      await lab.slurmctld('stop');
      await sleep(ms);
      await again(() => lab.slurmctld('start'));
      return true;
    });

  const breakNode = (trouble: NodeTrouble, host: string, ms: number) =>
    during(trouble.what, host, async () => {
      if (!(await lab.breakNode(trouble.out, host))) return false;
      await sleep(ms);
      await again(() => lab.breakNode(trouble.back, host));
      return true;
    });

  const killForGood = (host: string) =>
    during('slurmd killed for good', host, async (noted) => {
      if (!(await lab.breakNode('slurmd-kill', host))) return false;
      noted.to = noted.from + FOR_GOOD;
      return true;
    });

  function start(key: string, trouble: () => Promise<void>): void {
    if (busy.has(key)) return;
    busy.add(key);
    const one = trouble()
      .catch((error: unknown) => void failures.push(`${key}: ${error instanceof Error ? error.message : error}`))
      .finally(() => {
        busy.delete(key);
        open.delete(one);
      });
    open.add(one);
  }

  return {
    breaks,
    failures,
    begin(roll) {
      const kind = roll();
      const ms = 500 + roll() * 2000;
      const trouble = NODES[Math.floor(roll() * NODES.length)] ?? SLURMD;
      const stays = trouble === SLURMD && roll() < forGood;
      const hosts = runningHosts(lab);
      const host = hosts[Math.floor(roll() * hosts.length)];
      if (kind < 0.2) start('service', killService);
      else if (kind < 0.3) start('slurmctld', () => stopSlurmctld(ms));
      else if (host !== undefined) start(host, () => (stays ? killForGood(host) : breakNode(trouble, host, ms)));
    },
    async mended() {
      while (open.size > 0) await Promise.all(open);
      // A signal for the whole process group ends the service too; the last jobs still need it.
      if (await Promise.race([running.exited.then(() => true), sleep(0, false)])) running = await lab.start();
    },
  };
}

function runningHosts(lab: Lab): string[] {
  const folder = join(lab.dir, 'machines');
  return readdirSync(folder).flatMap((id) => {
    try {
      const read = (name: string) => readFileSync(join(folder, id, name), 'utf8').trim();
      return read('state') === 'running' ? [read('hostname')] : [];
    } catch {
      return []; // it has just gone
    }
  });
}

async function again(mend: () => Promise<unknown>): Promise<void> {
  for (let left = TRIES - 1; ; left--) {
    try {
      if ((await mend()) !== false || left === 0) return;
    } catch (error) {
      if (left === 0) throw error;
    }
    await sleep(200);
  }
}
