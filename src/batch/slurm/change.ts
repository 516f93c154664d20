/**
 * joinCluster and leaveCluster. Both read first (what was true a cycle ago may be a person's drain by now), send one
 * command per kind of change and 100 hosts, and judge by a second reading, never by the exit status: Slurm changes the
 * other nodes of a list when one name is bad, and still ends with 1.
 *
 * What `scontrol update State=...` does, seen with slurmctld 22.05.8, ReturnToService 0, 1 and 2 alike:
 *
 * | node                         | RESUME (and UNDRAIN)                               | IDLE                      |
 * |------------------------------|----------------------------------------------------|---------------------------|
 * | UNKNOWN+DRAIN, never there   | "Invalid node state", **and the drain is gone**    | same                      |
 * | IDLE+DRAIN, answers          | open, but NOT_RESPONDING until the next ping (1-5 s) | open and usable at once |
 * | DOWN or DOWN+DRAIN, answers  | open, NOT_RESPONDING until the next ping           | open and usable at once   |
 * | MIXED+DRAIN (has a job)      | open, NOT_RESPONDING until the next ping           | "Invalid node state"      |
 * | IDLE                         | "Invalid node state"                               | nothing happens           |
 * | ...+INVALID_REG              | "Invalid node state"                               | "Invalid node state"      |
 *
 * So: IDLE for a node without a job, RESUME for one with a job, and nothing at all for a node that has not registered.
 * A job that slips in between reading and writing makes IDLE fail, which does no harm.
 */
import { BatchError } from '../../domain/errors.ts';
import type { BatchNode } from '../../domain/node.ts';
import { oneLine } from '../../lib/log.ts';
import { type HostOutcome, MARK } from '../batch.ts';
import type { Ask } from '../command.ts';
import { failureOf } from './command.ts';
import { compress, sortHosts } from './hostlist.ts';
import { isOwnReason } from './node-state.ts';

/** Host lists of a command are not longer than this. */
const AT_ONCE = 100;

export interface NodeView {
  readonly node: BatchNode;
  /** It registered with less than slurm.conf says: Slurm refuses every change of its state. */
  readonly invalid: boolean;
}

export interface ChangeParts {
  readonly ask: Ask;
  /** A new reading of these hosts, one entry for each. */
  readonly look: (hosts: readonly string[], signal?: AbortSignal) => Promise<ReadonlyMap<string, NodeView>>;
}

/** A change for a host (the words after `scontrol update NodeName=...`), or what is to be said about it. */
type Choice = { readonly words: readonly string[] } | Omit<HostOutcome, 'host'>;

export function join(parts: ChangeParts, hosts: readonly string[], signal?: AbortSignal): Promise<HostOutcome[]> {
  return change(parts, hosts, chooseJoin, afterJoin, signal);
}

export function leave(
  parts: ChangeParts,
  hosts: readonly string[],
  reason: string,
  signal?: AbortSignal,
): Promise<HostOutcome[]> {
  // Slurm ends a reason with " [user@time]"; brackets of our own would be read as that
  const text = `${MARK} ${oneLine(reason)
    .replaceAll(/["[\]]/g, ' ')
    .trim()}`
    .slice(0, 200)
    .trimEnd();
  return change(parts, hosts, (view) => chooseLeave(view, text), afterLeave, signal);
}

function chooseJoin({ node, invalid }: NodeView): Choice {
  if (node.state === 'absent') return { result: 'failed', message: 'Slurm does not know this host' };
  if (invalid && (node.closed === 'ours' || isOwnReason(node.reason))) {
    return { result: 'failed', message: tooSmall(node) };
  }
  if (node.closed === 'theirs') return { result: 'left-alone', message: closedByPerson(node) };
  if (node.state === 'unknown') return { result: 'not-yet', message: `its state ${node.words} is not known` };
  if (!node.responding) return { result: 'not-yet', message: `its slurmd has not registered (${node.words})` };
  if (node.closed === 'no' && node.state !== 'down') return { result: 'done', message: '' };
  return { words: [node.hasJob ? 'State=RESUME' : 'State=IDLE'] };
}

/** Judges after the change. RESUME leaves a node silent until the next ping: it is open all the same. */
function afterJoin({ node }: NodeView): Omit<HostOutcome, 'host'> {
  if (node.closed === 'no' && !/\bDOWN\b/.test(node.words)) return { result: 'done', message: '' };
  if (node.closed === 'theirs') return { result: 'left-alone', message: closedByPerson(node) };
  if (!node.responding) return { result: 'not-yet', message: `its slurmd does not answer (${node.words})` };
  return { result: 'failed', message: `still ${node.words} after the change` };
}

function chooseLeave({ node }: NodeView, reason: string): Choice {
  if (node.state === 'absent') return { result: 'failed', message: 'Slurm does not know this host' };
  if (node.closed === 'theirs') return { result: 'left-alone', message: closedByPerson(node) };
  if (node.closed === 'ours') return { result: 'done', message: '' };
  return { words: ['State=DRAIN', `Reason=${reason}`] };
}

function afterLeave({ node }: NodeView): Omit<HostOutcome, 'host'> {
  if (node.closed === 'ours') return { result: 'done', message: '' };
  if (node.closed === 'theirs') return { result: 'left-alone', message: closedByPerson(node) };
  return { result: 'failed', message: `still ${node.words} after the change` };
}

async function change(
  parts: ChangeParts,
  hosts: readonly string[],
  choose: (view: NodeView) => Choice,
  judge: (view: NodeView) => Omit<HostOutcome, 'host'>,
  signal?: AbortSignal,
): Promise<HostOutcome[]> {
  if (hosts.length === 0) return [];
  const outcomes = new Map<string, Omit<HostOutcome, 'host'>>();
  const groups = new Map<string, { words: readonly string[]; hosts: string[] }>();
  const before = await parts.look(hosts, signal);
  for (const host of hosts) {
    const view = before.get(host);
    const choice: Choice = view ? choose(view) : { result: 'failed', message: 'no answer about this host' };
    if (!('words' in choice)) outcomes.set(host, choice);
    else {
      const key = choice.words.join('\0');
      const group = groups.get(key) ?? { words: choice.words, hosts: [] };
      groups.set(key, { ...group, hosts: [...group.hosts, host] });
    }
  }
  const refusals = new Map<string, string>();
  for (const group of groups.values()) await send(parts.ask, group, refusals, signal);
  const changed = [...groups.values()].flatMap((group) => group.hosts);
  if (changed.length > 0) {
    const after = await parts.look(changed, signal);
    for (const host of changed) {
      const view = after.get(host);
      const verdict = view ? judge(view) : { result: 'failed' as const, message: 'no answer about this host' };
      const why = verdict.result === 'failed' ? refusals.get(host) : undefined;
      outcomes.set(host, why === undefined ? verdict : { ...verdict, message: `${verdict.message}: ${why}` });
    }
  }
  return hosts.map((host) => ({ host, ...(outcomes.get(host) ?? { result: 'failed', message: 'no answer' }) }));
}

/** @throws BatchError for everything but a refusal, which may concern some of the hosts only */
async function send(
  ask: Ask,
  group: { words: readonly string[]; hosts: readonly string[] },
  refusals: Map<string, string>,
  signal?: AbortSignal,
): Promise<void> {
  const hosts = sortHosts(group.hosts);
  for (let i = 0; i < hosts.length; i += AT_ONCE) {
    const some = hosts.slice(i, i + AT_ONCE);
    const result = await ask(['scontrol', 'update', `NodeName=${compress(some)}`, ...group.words], signal);
    const failure = failureOf(result);
    if (!failure) continue;
    if (!(failure instanceof BatchError) || !['refused', 'garbled'].includes(failure.kind)) throw failure;
    for (const host of some) refusals.set(host, failure.message);
  }
}

function closedByPerson(node: BatchNode): string {
  return `${node.words}: ${node.reason === '' ? 'closed by somebody else' : node.reason}`;
}

function tooSmall(node: BatchNode): string {
  const why = node.reason.startsWith(MARK) ? 'fewer CPUs or less memory than slurm.conf says' : node.reason;
  return `Slurm does not accept what its slurmd registered (${node.words}): ${why}`;
}
