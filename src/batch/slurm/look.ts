/**
 * Reads our hosts, and only ours, with one command.
 */
import { BatchError } from '../../domain/errors.ts';
import type { BatchNode } from '../../domain/node.ts';
import type { Ask } from '../command.ts';
import type { NodeView } from './change.ts';
import { failureOf } from './command.ts';
import { compress, isPlainName } from './hostlist.ts';
import { type NodeReading, type NodeRecord, readNodes } from './node-records.ts';
import { isInvalid, toNode } from './node-state.ts';

/**
 * @throws BatchError `garbled` unless every host asked for was found or reported not found
 */
export async function askNodes(ask: Ask, hosts: readonly string[], signal?: AbortSignal): Promise<NodeReading> {
  const plain = hosts.filter(isPlainName);
  if (plain.length === 0) return { records: new Map(), notFound: new Set(), broken: new Map(), cut: false };
  const result = await ask(['scontrol', '-o', '-d', 'show', 'node', compress(plain)], signal);
  const reading = readNodes(result.stdout, result.stderr);
  // unknown names make scontrol end with 1 after it has printed the others
  const failure = failureOf(result.code === 1 && reading.notFound.size > 0 ? { ...result, code: 0 } : result);
  if (failure) throw failure;
  if (reading.cut) throw new BatchError('garbled', 'the answer of scontrol show node was cut');
  const silent = plain.filter(
    (host) => !reading.records.has(host) && !reading.notFound.has(host) && !reading.broken.has(host),
  );
  if (silent.length > 0) {
    throw new BatchError('garbled', `scontrol show node said nothing about ${compress(silent)}`, {
      facts: { stdout: result.stdout.slice(0, 300) },
    });
  }
  return reading;
}

/** One node per host, in the order asked; jobs as far as they are known. */
export function toNodes(
  reading: NodeReading,
  hosts: readonly string[],
  queue: string,
  jobsOn: (host: string) => readonly string[],
  doubt: (host: string) => boolean,
): BatchNode[] {
  return hosts.map((host) => {
    const record = reading.records.get(host);
    if (record) return toNode(record, queue, jobsOn(host), doubt(host));
    const broken = reading.broken.get(host);
    return broken === undefined ? absent(host) : unreadable(host, broken, jobsOn(host));
  });
}

/** What joinCluster and leaveCluster decide by: the hosts' own records, no queue and no jobs. */
export function nodeViews(reading: NodeReading, hosts: readonly string[]): ReadonlyMap<string, NodeView> {
  const nodes = toNodes(
    reading,
    hosts,
    '',
    () => [],
    () => false,
  );
  const invalid = (record: NodeRecord | undefined): boolean => record !== undefined && isInvalid(record);
  return new Map(nodes.map((node) => [node.host, { node, invalid: invalid(reading.records.get(node.host)) }]));
}

function absent(host: string): BatchNode {
  return { ...empty(host), state: 'absent', hasJob: false, words: 'not known to Slurm' };
}

/** Slurm knows it, we cannot read it: whatever it is, it is not idle. */
function unreadable(host: string, why: string, jobs: readonly string[]): BatchNode {
  return { ...empty(host), state: 'unknown', closed: 'theirs', hasJob: true, jobs, words: `not readable: ${why}` };
}

function empty(host: string): BatchNode {
  return {
    host,
    state: 'unknown',
    closed: 'no',
    responding: false,
    hasJob: true,
    jobs: [],
    registration: null,
    inQueue: false,
    cpus: 0,
    cpusFree: 0,
    memoryMiB: 0,
    memoryFreeMiB: 0,
    words: '',
    reason: '',
  };
}
