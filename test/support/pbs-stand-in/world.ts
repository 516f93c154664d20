/**
 * A stand-in for Torque or PBS in a temporary folder whose commands are first in PATH, for the contract and for tests.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchWorld, WorldJob } from '../../../src/batch/batch.contract.ts';
import type { Batch, QueueStatus } from '../../../src/batch/batch.ts';
import { type Run, run } from '../../../src/lib/run.ts';
import { change, newStandIn, type StandIn, save } from './cluster.ts';

export interface StandInWorld extends Disposable {
  readonly dir: string;
  readonly hosts: readonly string[];
  /** Like lib/run, with the stand-in's commands in front; every command is kept. */
  readonly run: Run;
  /** The same as an ordinary user. */
  readonly runAsUser: Run;
  readonly commands: string[];
  /** Runs a command and fails unless it ends with 0. @returns its standard output */
  command(...words: string[]): Promise<string>;
  change(how: (world: StandIn) => void): void;
  read(): StandIn;
}

export function makeStandIn(family: StandIn['family'], count = 3): StandInWorld {
  const dir = mkdtempSync(join(tmpdir(), `hc-${family}-`));
  const state = join(dir, 'cluster.json');
  const hosts = Array.from({ length: count }, (_, i) => `c${i + 1}`);
  save(state, newStandIn(family, hosts, 4, 1000));
  const own = join(import.meta.dirname, '..', `${family}-stand-in`, `${family}.ts`);
  for (const name of ['qstat', 'pbsnodes', 'qmgr', 'qsub', 'qdel', 'status-json']) {
    const program = name === 'status-json' ? join(import.meta.dirname, 'status-json.ts') : own;
    const script = `#!/bin/sh\nexec '${process.execPath}' '${program}' ${name} "$@"\n`;
    writeFileSync(join(dir, name), script, { mode: 0o755 });
  }
  const env = { PATH: `${dir}:/usr/bin:/bin`, LC_ALL: 'C.UTF-8', STAND_IN_STATE: state };
  const commands: string[] = [];
  const runAs =
    (more: Readonly<Record<string, string>>): Run =>
    (command, options) => {
      commands.push(command.join(' '));
      return run(command, { ...options, env: { ...env, ...more } });
    };
  const asOperator = runAs({});
  return {
    dir,
    hosts,
    run: asOperator,
    runAsUser: runAs({ STAND_IN_USER: 'hpcuser' }),
    commands,
    async command(...words) {
      const result = await run(words, { timeout: 20_000, env });
      if (result.code !== 0) throw new Error(`${words.join(' ')} ended with ${result.code}: ${result.stderr}`);
      return result.stdout;
    },
    change: (how) => change(state, how),
    read() {
      let found: StandIn | undefined;
      change(state, (world) => {
        found = world;
      });
      if (!found) throw new Error('no state');
      return found;
    },
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** @param gate how a person closes and opens a node; with null it is opened */
export function contractWorld(
  world: StandInWorld,
  batch: Batch,
  submit: (job: WorldJob) => readonly string[],
  gate: (host: string, reason: string | null) => readonly string[],
): BatchWorld {
  const mom = (host: string, alive: boolean) =>
    world.change((cluster) => {
      for (const node of cluster.nodes) if (node.name === host) node.mom = alive;
    });
  return {
    batch,
    queue: 'cloud',
    hosts: world.hosts,
    stranger: 'c9',
    submit: async (job) => (await world.command(...submit(job))).trim(),
    finish: async (id) => {
      await world.command('qdel', id);
    },
    startNode: async (host) => mom(host, true),
    stopNode: async (host) => mom(host, false),
    personDrain: async (host, reason) => {
      await world.command(...gate(host, reason));
    },
    stopServer: async () =>
      world.change((cluster) => {
        cluster.up = false;
      }),
    startServer: async () =>
      world.change((cluster) => {
        cluster.up = true;
      }),
    waitFor: (what, so) => waitFor(batch, world.hosts, what, so),
    dispose: async () => world[Symbol.dispose](),
  };
}

/** Reads until it is so; fails after 15 s with the last reading. */
export async function waitFor(
  batch: Batch,
  hosts: readonly string[],
  what: string,
  so: (status: QueueStatus) => boolean,
): Promise<QueueStatus> {
  const end = performance.now() + 15_000;
  for (;;) {
    const status = await batch.getStatus('cloud', hosts);
    if (so(status)) return status;
    if (performance.now() > end) throw new Error(`${what}: not within 15 s: ${JSON.stringify(status)}`);
    await sleep(50);
  }
}
