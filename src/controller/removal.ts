/**
 * Removal: the journal first, then one call per cloud. What is not listed any more is deleted by the id we know.
 */
import type { Cloud } from '../cloud/cloud.ts';
import { sayError } from '../domain/errors.ts';
import type { HostRecord } from '../domain/host.ts';
import type { Machine } from '../domain/machine.ts';
import type { Step } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { ASK_AGAIN, ASK_AGAIN_AFTER_ERROR, byCloud, CALL_LIMIT, type Hands, recordOf } from './hands.ts';

/** Returns when everything is in the journal; the clouds answer later. */
export function remove(hands: Hands, s: Snapshot, steps: readonly Step[]): void {
  const machines: Machine[] = [];
  for (const step of steps) {
    const host = step.host ?? '';
    const seen = s.machines.get(host);
    const before = recordOf(hands, host);
    if (step.to !== null) {
      hands.accepted.delete(host);
      hands.recorder.move(host, step.to, step.because, {
        ...(step.failed ? { failed: true } : {}),
        ...(seen ? { machineId: seen.id } : {}),
      });
    }
    // Not in the list, but we know its id: deleting it by id makes sure that it is gone.
    const unseen = before.machineId === null ? null : idOnly(before, before.machineId);
    const machine = seen ?? unseen;
    if (machine !== null) machines.push(machine);
  }
  for (const [cloud, group] of byCloud(hands, machines, (machine) => machine.host)) takeAway(hands, cloud, group);
}

function takeAway(hands: Hands, cloud: Cloud, machines: readonly Machine[]): void {
  const names = machines.map((machine) => machine.host);
  hands.errands.start(names, CALL_LIMIT, async (signal) => {
    try {
      for (const outcome of await cloud.delete(machines, signal)) deleted(hands, outcome.host, outcome.error);
    } catch (error) {
      for (const name of names) deleted(hands, name, error);
    }
    await Promise.all(machines.map((machine) => hands.bootstrap.forget({ name: machine.host, ip: machine.ip })));
  });
}

function deleted(hands: Hands, host: string, error: unknown): void {
  const at = hands.clock.now();
  hands.retryCallAt.set(host, at + (error === null ? ASK_AGAIN : ASK_AGAIN_AFTER_ERROR));
  if (error === null) hands.accepted.add(host);
  else hands.recorder.complain('warn', host, `${host} could not be deleted yet: ${sayError(error)}`);
}

function idOnly(record: HostRecord, id: string): Machine {
  return { id, host: record.name, ip: record.ip, state: 'unknown', lease: record.lease, since: null, message: '' };
}
