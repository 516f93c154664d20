/**
 * What a look has seen and a restart must know: the durable clocks, and the ids of machines.
 */
import { WITH_MACHINE } from '../domain/lifecycle.ts';
import type { Plan } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import type { Store } from '../store/store.ts';

/** Writes only what changed: a quiet queue writes nothing. */
export function keepClocks(store: Store, s: Snapshot, decided: Plan): void {
  const { queue, idleSince, missingSince } = decided.clocks;
  if (queue.emptySince !== s.clocks.emptySince || queue.noWaitingSince !== s.clocks.noWaitingSince)
    store.setClocks(queue);
  for (const host of s.hosts) {
    const idle = idleSince.get(host.name) ?? null;
    const missing = missingSince.get(host.name) ?? null;
    if (idle !== host.idleSince || missing !== host.missingSince) {
      store.touch(host.name, { idleSince: idle, missingSince: missing });
    }
  }
}

/**
 * The answer to a create may be lost, and the list may lack the machine when its deadline comes: what was once seen under
 * our lease can be deleted by its id then, and is not forgotten.
 */
export function keepIds(store: Store, s: Snapshot): void {
  for (const { name, state, lease, machineId } of s.hosts) {
    const machine = s.machines.get(name);
    if (machineId !== null || machine === undefined || lease === null || machine.lease !== lease) continue;
    if (WITH_MACHINE.has(state)) store.touch(name, { machineId: machine.id });
  }
}
