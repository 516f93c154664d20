/**
 * joinCluster and leaveCluster through the site's functions: each host is called once, several at a time, and what the
 * function says is what happened, unless get_status tells of nodes: then a second reading judges.
 */
import { BatchError } from '../../domain/errors.ts';
import type { BatchNode } from '../../domain/node.ts';
import { oneLine } from '../../lib/log.ts';
import { type HostOutcome, MARK, type QueueStatus } from '../batch.ts';
import { type Called, lastLine, type ScriptFunction } from './driver.ts';
import type { GateMemory } from './memory.ts';

/** A reading, and whether it says nothing of nodes. */
export type Look = QueueStatus & { readonly blind: boolean };

export interface ChangeParts {
  readonly memory: GateMemory;
  readonly look: (hosts: readonly string[], signal?: AbortSignal) => Promise<Look>;
  readonly call: (name: ScriptFunction, words: readonly string[], signal?: AbortSignal) => Promise<Called>;
}

/** Functions called at one time. */
const AT_ONCE = 8;

/** Names that can be given to a script; any other is a mistake or an attack. */
export const PLAIN = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

export function join(parts: ChangeParts, hosts: readonly string[], signal?: AbortSignal): Promise<HostOutcome[]> {
  const { memory } = parts;
  const choose = (node: BatchNode, blind: boolean): Omit<HostOutcome, 'host'> | null => {
    if (blind) return memory.isOpen(node.host) ? { result: 'done', message: '' } : null;
    if (node.state === 'absent') return { result: 'failed', message: 'get_status does not name this host' };
    if (node.closed === 'theirs') return { result: 'left-alone', message: byOthers(node) };
    if (!node.responding) return { result: 'not-yet', message: `its daemon does not answer (${node.words})` };
    return node.closed === 'no' ? { result: 'done', message: '' } : null;
  };
  const act = async (some: readonly string[]): Promise<Map<string, string | null>> => {
    // it may be open from now on, whatever becomes of the call
    memory.set(some, 'opening');
    const said = await each(parts, 'join_cluster', some, [], signal);
    memory.set(
      some.filter((host) => said.get(host) === null),
      'open',
    );
    return said;
  };
  return change(parts, hosts, 'join_cluster', choose, act, judgeOpen, signal);
}

export function leave(
  parts: ChangeParts,
  hosts: readonly string[],
  reason: string,
  signal?: AbortSignal,
): Promise<HostOutcome[]> {
  const { memory } = parts;
  const text = `${MARK} ${oneLine(reason).trim()}`.slice(0, 200).trimEnd();
  const choose = (node: BatchNode): Omit<HostOutcome, 'host'> | null => {
    if (node.state === 'absent') return { result: 'failed', message: 'get_status does not name this host' };
    if (node.closed === 'theirs') return { result: 'left-alone', message: byOthers(node) };
    return node.closed === 'ours' ? { result: 'done', message: '' } : null;
  };
  const act = async (some: readonly string[]): Promise<Map<string, string | null>> => {
    const said = await each(parts, 'leave_cluster', some, [text], signal);
    memory.set(
      some.filter((host) => said.get(host) === null),
      'closed',
      text,
    );
    return said;
  };
  return change(parts, hosts, 'leave_cluster', choose, act, judgeClosed, signal);
}

/** Calls the function for each of these hosts, and takes what it says for what happened. */
async function each(
  { call }: ChangeParts,
  name: ScriptFunction,
  hosts: readonly string[],
  more: readonly string[],
  signal?: AbortSignal,
): Promise<Map<string, string | null>> {
  const said = new Map<string, string | null>();
  for (let i = 0; i < hosts.length; i += AT_ONCE) {
    const some = hosts.slice(i, i + AT_ONCE);
    const answers = await Promise.all(
      some.map(async (host) => {
        try {
          const { code, stderr, output } = await call(name, [host, ...more], signal);
          return code === 0
            ? null
            : `${name} ended with ${code}: ${lastLine(stderr) || lastLine(output) || 'it said nothing'}`;
        } catch (error) {
          if (error instanceof BatchError && error.kind === 'silent') return error.message;
          throw error;
        }
      }),
    );
    for (const [at, host] of some.entries()) said.set(host, answers[at] ?? null);
  }
  return said;
}

async function change(
  { look }: ChangeParts,
  hosts: readonly string[],
  name: 'join_cluster' | 'leave_cluster',
  choose: (node: BatchNode, blind: boolean) => Omit<HostOutcome, 'host'> | null,
  act: (hosts: readonly string[]) => Promise<Map<string, string | null>>,
  judge: (node: BatchNode) => Omit<HostOutcome, 'host'>,
  signal?: AbortSignal,
): Promise<HostOutcome[]> {
  if (hosts.length === 0) return [];
  const before = await look(hosts, signal);
  const outcomes = new Map<string, Omit<HostOutcome, 'host'>>();
  const todo: string[] = [];
  for (const node of before.nodes) {
    const plain = PLAIN.test(node.host);
    const choice = plain
      ? choose(node, before.blind)
      : { result: 'failed' as const, message: 'not a name that can be given to a script' };
    if (choice) outcomes.set(node.host, choice);
    else todo.push(node.host);
  }
  const said = todo.length === 0 ? new Map<string, string | null>() : await act(todo);
  const after = before.blind || todo.length === 0 ? [] : (await look(todo, signal)).nodes;
  for (const host of todo) {
    const why = said.get(host) ?? null;
    const node = after.find((one) => one.host === host);
    if (!node) outcomes.set(host, why === null ? { result: 'done', message: '' } : refused(name, why));
    else {
      const verdict = judge(node);
      outcomes.set(
        host,
        verdict.result === 'done' || why === null ? verdict : { ...verdict, message: `${verdict.message}: ${why}` },
      );
    }
  }
  return hosts.map((host) => ({
    host,
    ...(outcomes.get(host) ?? { result: 'failed', message: 'no answer about this host' }),
  }));
}

/** A node that cannot join yet is asked again; one that cannot be closed is trouble. */
function refused(name: 'join_cluster' | 'leave_cluster', message: string): Omit<HostOutcome, 'host'> {
  return { result: name === 'join_cluster' ? 'not-yet' : 'failed', message };
}

function judgeOpen(node: BatchNode): Omit<HostOutcome, 'host'> {
  if (node.closed === 'no') return { result: 'done', message: '' };
  if (node.closed === 'theirs') return { result: 'left-alone', message: byOthers(node) };
  return { result: node.responding ? 'failed' : 'not-yet', message: `still ${node.words} after join_cluster` };
}

function judgeClosed(node: BatchNode): Omit<HostOutcome, 'host'> {
  if (node.closed === 'ours') return { result: 'done', message: '' };
  if (node.closed === 'theirs') return { result: 'left-alone', message: byOthers(node) };
  return { result: 'failed', message: `still ${node.words} after leave_cluster` };
}

function byOthers(node: BatchNode): string {
  return `${node.words}: ${node.reason === '' ? 'closed by somebody else' : node.reason}`;
}
