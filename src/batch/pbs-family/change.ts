/**
 * joinCluster and leaveCluster: read first (what was true a cycle ago may be a person's decision by now), one command
 * for each kind of change and 100 hosts, and a second reading that judges. `pbsnodes` may end with 0 when it did nothing.
 */
import { BatchError } from '../../domain/errors.ts';
import type { BatchNode } from '../../domain/node.ts';
import { oneLine } from '../../lib/log.ts';
import { type HostOutcome, MARK } from '../batch.ts';
import type { AskFamily } from './adds-up.ts';
import { failureOf } from './failure.ts';

const AT_ONCE = 100;

/** What one family's pbsnodes is told; the meaning of its flags differs. */
export interface Gate {
  readonly family: string;
  readonly ask: AskFamily;
  /** Without the hosts, which are put behind it. */
  readonly open: readonly string[];
  readonly close: (reason: string) => readonly string[];
  /** How many characters of a reason it keeps. */
  readonly longest: number;
  /** A new reading of these hosts, one entry for each, with the name each has in commands. */
  readonly look: (
    hosts: readonly string[],
    signal?: AbortSignal,
  ) => Promise<ReadonlyMap<string, { readonly node: BatchNode; readonly address: string }>>;
  /** These hosts have been opened by us just now. */
  readonly opened?: (hosts: readonly string[], signal?: AbortSignal) => Promise<void> | void;
}

type Verdict = Omit<HostOutcome, 'host'>;
type Choice = Verdict | 'change';

/** What pbsnodes says about a host it did not change, while it may end with 0. */
const COMPLAINT = /^(Error (setting|marking)|pbsnodes: )/m;

export async function join(gate: Gate, hosts: readonly string[], signal?: AbortSignal): Promise<HostOutcome[]> {
  return change(gate, hosts, chooseOpen, gate.open, afterOpen, gate.opened, signal);
}

export function leave(
  gate: Gate,
  hosts: readonly string[],
  reason: string,
  signal?: AbortSignal,
): Promise<HostOutcome[]> {
  const text = `${MARK} ${oneLine(reason).trim()}`.slice(0, gate.longest).trimEnd();
  return change(gate, hosts, chooseClose, gate.close(text), afterClose, undefined, signal);
}

function chooseOpen(node: BatchNode, family: string): Choice {
  if (node.state === 'absent') return { result: 'failed', message: `${family} does not know this host` };
  if (node.state === 'unknown') return { result: 'not-yet', message: `its state cannot be read (${node.words})` };
  if (node.closed === 'theirs') return { result: 'left-alone', message: closedByPerson(node) };
  if (!node.responding) return { result: 'not-yet', message: `its pbs_mom has not reported (${node.words})` };
  // an old mark on an open node is taken off too: with it, a person's drain without a reason would look like ours
  if (node.closed === 'no' && !node.reason.startsWith(MARK)) return { result: 'done', message: '' };
  return 'change';
}

function afterOpen(node: BatchNode): Verdict {
  if (node.closed === 'no' && node.responding) return { result: 'done', message: '' };
  if (node.closed === 'theirs') return { result: 'left-alone', message: closedByPerson(node) };
  if (!node.responding) return { result: 'not-yet', message: `its pbs_mom does not report (${node.words})` };
  return { result: 'failed', message: `still ${node.words} after the change` };
}

function chooseClose(node: BatchNode, family: string): Choice {
  if (node.state === 'absent') return { result: 'failed', message: `${family} does not know this host` };
  if (node.state === 'unknown') return { result: 'failed', message: `its state cannot be read (${node.words})` };
  if (node.closed === 'theirs') return { result: 'left-alone', message: closedByPerson(node) };
  return node.closed === 'ours' ? { result: 'done', message: '' } : 'change';
}

function afterClose(node: BatchNode): Verdict {
  if (node.closed === 'ours') return { result: 'done', message: '' };
  if (node.closed === 'theirs') return { result: 'left-alone', message: closedByPerson(node) };
  return { result: 'failed', message: `still ${node.words} after the change` };
}

function closedByPerson(node: BatchNode): string {
  return `${node.words}: ${node.reason === '' ? 'closed by somebody else' : node.reason}`;
}

async function change(
  gate: Gate,
  hosts: readonly string[],
  choose: (node: BatchNode, family: string) => Choice,
  command: readonly string[],
  judge: (node: BatchNode) => Verdict,
  changed: Gate['opened'],
  signal?: AbortSignal,
): Promise<HostOutcome[]> {
  if (hosts.length === 0) return [];
  const none: Verdict = { result: 'failed', message: 'no answer about this host' };
  const outcomes = new Map<string, Verdict>();
  const before = await gate.look(hosts, signal);
  const todo: string[] = [];
  for (const host of hosts) {
    const seen = before.get(host);
    const choice = seen ? choose(seen.node, gate.family) : none;
    if (choice === 'change') todo.push(host);
    else outcomes.set(host, choice);
  }
  if (todo.length > 0) {
    const addresses = todo.map((host) => before.get(host)?.address ?? host);
    const refusals = await send(gate, command, addresses, signal);
    await changed?.(todo, signal);
    const after = await gate.look(todo, signal);
    for (const [i, host] of todo.entries()) {
      const seen = after.get(host);
      const verdict = seen ? judge(seen.node) : none;
      const why = verdict.result === 'done' ? undefined : refusals.get(addresses[i] ?? host);
      outcomes.set(host, why === undefined ? verdict : { ...verdict, message: `${verdict.message}: ${why}` });
    }
  }
  return hosts.map((host) => ({ host, ...(outcomes.get(host) ?? none) }));
}

/** @throws BatchError for everything but a refusal, which may concern some of the hosts only */
async function send(
  gate: Gate,
  command: readonly string[],
  hosts: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const refusals = new Map<string, string>();
  for (let i = 0; i < hosts.length; i += AT_ONCE) {
    const some = hosts.slice(i, i + AT_ONCE);
    const failure = failureOf(await gate.ask([...command, ...some], signal), COMPLAINT);
    if (!failure) continue;
    if (!(failure instanceof BatchError) || failure.kind !== 'refused') throw failure;
    for (const host of some) refusals.set(host, failure.message);
  }
  return refusals;
}
