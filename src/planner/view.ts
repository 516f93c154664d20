/**
 * One host as all sides see it together, and what follows for its use.
 */
import type { HostRecord } from '../domain/host.ts';
import { ON_THE_WAY, WITH_MACHINE } from '../domain/lifecycle.ts';
import type { Machine } from '../domain/machine.ts';
import type { BatchNode } from '../domain/node.ts';
import type { Snapshot } from '../domain/snapshot.ts';

export interface View {
  readonly record: HostRecord;
  readonly node: BatchNode | undefined;
  readonly machine: Machine | undefined;
  /** A machine that is not ours sits on this host's name or address. */
  readonly stranger: Machine | undefined;
  readonly retired: boolean;
  readonly underWay: boolean;
  /** Its cloud does not answer: it counts as it was, and nothing is done with it. */
  readonly silent: boolean;
}

/** All hosts of the snapshot, in its order. */
export function views(s: Snapshot): readonly View[] {
  const byName = new Map(s.strangers.map((machine) => [machine.host, machine]));
  const byIp = new Map(s.strangers.map((machine) => [machine.ip, machine]));
  return s.hosts.map((record) => ({
    record,
    node: s.nodes.get(record.name),
    machine: s.machines.get(record.name),
    stranger: byName.get(record.name) ?? byIp.get(record.ip),
    retired: s.retired.has(record.name),
    underWay: s.underWay.has(record.name),
    silent: s.silent?.has(record.name) ?? false,
  }));
}

/** How long a machine may be missing from the cloud's list before we believe it: lists are not always up to date. */
export const MISSING_GRACE = 60_000;

/** The daemon that answers is the new machine's, not one the batch system has not missed yet. */
export function registered(view: View): boolean {
  const { node, record } = view;
  const seen = node?.responding === true ? node.registration : null;
  return seen !== null && seen !== record.registrationBefore;
}

/** It works: open, answers, and its machine is there. */
export function inService(view: View): boolean {
  const { record, node, machine } = view;
  if (record.state !== 'ready' || node === undefined || machine === undefined) return false;
  return node.closed === 'no' && node.responding && (node.state === 'idle' || node.state === 'busy');
}

/** Somebody else closed this node: it is no supply, and we leave it as it is. */
export function closedByOthers(view: View): boolean {
  return view.node?.closed === 'theirs';
}

/** A job runs on it, as far as anybody knows. Then nothing may take its machine away. */
export function working(view: View): boolean {
  return view.node?.hasJob === true && view.node.state !== 'absent';
}

export function onTheWay(view: View): boolean {
  return ON_THE_WAY.has(view.record.state);
}

/**
 * Its cloud is silent, and it will not become ready until that changes: on its way for longer than it may be, or to be
 * opened again. Nobody should count on it while another cloud can help.
 */
export function outOfSight(s: Snapshot, view: View): boolean {
  if (!view.silent) return false;
  const { state, since } = view.record;
  const { boot, prepare, join } = s.pool.timing;
  if (state === 'draining') return true;
  const limit = { starting: boot, preparing: prepare, joining: join }[state as 'starting' | 'preparing' | 'joining'];
  return limit !== undefined && s.at - since > limit;
}

export function withMachine(view: View): boolean {
  return WITH_MACHINE.has(view.record.state);
}

/** We count on its machine, but the cloud does not list it or the batch system has lost it. */
export function lost(view: View): boolean {
  const { state } = view.record;
  if (state !== 'ready' && state !== 'draining' && state !== 'preparing' && state !== 'joining') return false;
  if (view.machine === undefined) return true;
  return (state === 'ready' || state === 'draining') && (view.node?.state === 'down' || view.node?.state === 'absent');
}

/**
 * May a machine be created for this host?
 * @returns null when it may, else why not, for people
 */
export function notCreatable(view: View): string | null {
  const { node, record } = view;
  if (record.state !== 'free') return `it is ${record.state}`;
  if (view.retired) return 'it is no longer in hosts.json';
  if (view.underWay) return 'a call for it is still under way';
  if (view.silent) return 'its cloud does not answer';
  if (view.stranger) return `its name or address is used by machine ${view.stranger.id}, which is not ours`;
  // Others are taken over as they are; these go first. Not every cloud refuses a second machine beside them.
  if (view.machine?.state === 'failed' || view.machine?.state === 'stopping')
    return `its old machine ${view.machine.id} is still there`;
  if (node === undefined || node.state === 'absent') return 'the batch system does not know it';
  if (!node.inQueue) return 'it does not belong to the queue';
  if (node.closed === 'theirs') return `somebody closed it: ${node.reason}`;
  if (node.hasJob) return 'the batch system still sees a job on it';
  if (node.closed === 'no') return 'it is being closed first, so that no job lands on it too early';
  return null;
}
