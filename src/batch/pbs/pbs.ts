/**
 * OpenPBS and PBS Pro, 19 to 23, through their own commands: `pbsnodes -av -F json` for nodes, `qstat -f -t -F json` for
 * jobs. The nodes of the pool stay defined in the server for ever; a host without a machine is `down` and `offline`
 * with our comment.
 */
import { BatchError } from '../../domain/errors.ts';
import type { Batch } from '../batch.ts';
import { makeFamilyAsk, makePbsFamily } from '../pbs-family/adapter.ts';
import { readAttributes } from '../pbs-family/amounts.ts';
import { failureOf, hasNoNodes } from '../pbs-family/failure.ts';
import type { NodeReading } from '../pbs-family/node.ts';
import { nudge } from '../pbs-family/nudge.ts';
import type { PbsFamilyParts, PbsFamilySettings } from '../pbs-family/settings.ts';
import { type Pool, readJobs } from './jobs.ts';
import { readNodes } from './nodes.ts';
import { askVersion } from './version.ts';

export { pbsFamilyOptions as pbsOptions, pbsFamilySettings as pbsSettings } from '../pbs-family/settings.ts';

const NOTHING: NodeReading = { nodes: new Map(), broken: new Map(), lost: [] };

export function makePbs(settings: PbsFamilySettings, parts: PbsFamilyParts): Batch {
  const ask = makeFamilyAsk(parts, settings);
  /** Were jobs waiting for nodes at the last look? */
  let waiting = true;
  let pool: Pool = { hostOf: new Map(), cpus: 0, memoryMiB: 0 };

  async function nodes(hosts: readonly string[], signal?: AbortSignal): Promise<NodeReading> {
    const result = await ask(['pbsnodes', '-av', '-F', 'json'], signal);
    if (hasNoNodes(result)) return NOTHING;
    const failure = failureOf(result);
    if (failure) throw failure;
    const reading = readNodes(result.stdout, hosts);
    if (reading === 'garbled') throw garbled('pbsnodes -F json', result.stdout);
    return reading;
  }

  async function list(queue: string, signal?: AbortSignal) {
    const result = await ask(['qstat', '-f', '-t', '-F', 'json'], signal);
    // when the server is down it prints a whole document without jobs: only the exit code tells
    const failure = failureOf(result);
    if (failure) throw failure;
    const reading = readJobs(result.stdout, queue, pool);
    if (reading === 'garbled') throw garbled('qstat -F json', result.stdout);
    return reading;
  }

  return makePbsFamily(
    {
      key: 'pbs',
      name: 'PBS',
      version: (signal) => askVersion(ask, signal),
      nodes,
      async jobs(queue, reading, signal) {
        if (reading !== null) pool = poolOf(reading, settings.nodeMemory);
        const found = await list(queue, signal);
        const missing = reading === null ? [] : missingJobs(reading, found.ids);
        if (missing.length === 0) return found;
        // it ended between the two commands, or qstat forgot it: the server's own counters decide
        return (await isComplete(found.ids.size, signal)) ? found : complete(queue, missing, signal);
      },
      gate: {
        open: ['pbsnodes', '-C', '', '-r'],
        close: (reason) => ['pbsnodes', '-C', reason, '-o'],
        longest: 80,
        opened: async (_hosts, signal) => {
          if (waiting) await nudge(ask, parts.log, signal);
        },
      },
      seen: async (_reading, jobsWait) => {
        waiting = jobsWait;
      },
    },
    ask,
    settings,
    parts,
  );

  /** Counts what the list should have, ended tasks apart, which are in the list and in no counter. */
  async function isComplete(listed: number, signal?: AbortSignal): Promise<boolean> {
    const result = await ask(['qstat', '-B', '-f'], signal);
    const failure = failureOf(result);
    if (failure) throw failure;
    const counts = readAttributes(result.stdout).get('state_count') ?? '';
    let sum = 0;
    for (const [, , n] of counts.matchAll(/(\w+):(\d+)/g)) sum += Number(n);
    // tasks of arrays are listed but not counted, so a complete list is as long at least
    return listed >= sum;
  }

  async function complete(queue: string, missing: readonly string[], signal?: AbortSignal) {
    const again = await list(queue, signal);
    if (await isComplete(again.ids.size, signal)) return again;
    throw new BatchError(
      'garbled',
      `qstat left out jobs that the server counts (${missing.slice(0, 3).join(', ')}...)`,
      {
        hint: 'qstat -F json of some releases forgets jobs; qstat -B -f shows how many there are',
      },
    );
  }
}

/** Jobs a node names, but the list does not have. */
function missingJobs(reading: NodeReading, ids: ReadonlySet<string>): string[] {
  return [...reading.nodes.values()].flatMap((node) => node.jobs.filter((id) => !ids.has(id)));
}

function poolOf(reading: NodeReading, nodeMemory: number): Pool {
  const all = [...reading.nodes.values()];
  const most = (sizes: readonly number[]): number => Math.max(0, ...sizes);
  const cpus = most(all.map((one) => one.cpus));
  const memoryMiB = most(all.map((one) => one.memoryMiB)) || nodeMemory;
  const hostOf = new Map<string, string>();
  for (const node of all) {
    hostOf.set(node.host, node.host);
    for (const property of node.properties) {
      if (property.startsWith('vnode=')) hostOf.set(property.slice('vnode='.length), node.host);
    }
  }
  return { hostOf, cpus, memoryMiB };
}

function garbled(command: string, text: string): BatchError {
  return new BatchError('garbled', `the answer of ${command} was cut or is not its own`, {
    hint: 'PBS answers in JSON; if these are the commands of Torque, set BATCH_SYSTEM=torque',
    facts: { bytes: text.length, start: text.slice(0, 100), end: text.slice(-200) },
  });
}
