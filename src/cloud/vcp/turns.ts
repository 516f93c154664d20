/**
 * Turns: what a controller that changes one thing at a time has to be asked later. Such requests count as accepted:
 * they are shown as starting or stopping, and asked, in order, as soon as a list shows that the group is free. What
 * waits here is lost with the process; the journal asks for it again after a restart.
 */
import type { Machine } from '../../domain/machine.ts';
import type { Lease } from '../cloud.ts';

export type Turn =
  | { readonly kind: 'create'; readonly id: string; readonly lease: Lease }
  | { readonly kind: 'delete'; readonly id: string; readonly machine: Machine };

export interface Turns {
  readonly size: number;
  has(kind: Turn['kind'], id: string): boolean;
  wait(turn: Turn): void;
  first(): Turn | undefined;
  /** Its turn came, or it is no longer wanted. @returns whether it was there */
  drop(kind: Turn['kind'], id: string): boolean;
  /** Nobody knows what became of it: it is asked again, behind the others. @returns false: too often, it was dropped */
  postpone(turn: Turn): boolean;
  /** The list as it will be: what waits to be created is starting, what waits to be deleted is stopping. */
  onto(machines: readonly Machine[], now: number): readonly Machine[];
}

export function makeTurns(): Turns {
  const waiting: Turn[] = [];
  const postponed = new WeakMap<Turn, number>();
  const find = (kind: Turn['kind'], id: string) => waiting.findIndex((one) => one.kind === kind && one.id === id);
  return {
    get size() {
      return waiting.length;
    },
    has: (kind, id) => find(kind, id) >= 0,
    wait(turn) {
      if (find(turn.kind, turn.id) < 0) waiting.push(turn);
    },
    first: () => waiting[0],
    drop(kind, id) {
      const at = find(kind, id);
      if (at >= 0) waiting.splice(at, 1);
      return at >= 0;
    },
    postpone(turn) {
      const times = (postponed.get(turn) ?? 0) + 1;
      const at = waiting.indexOf(turn);
      if (at < 0) return false;
      waiting.splice(at, 1);
      if (times > MOST_TIMES) return false;
      postponed.set(turn, times);
      waiting.push(turn);
      return true;
    },
    onto(machines, now) {
      const there = new Set(machines.map(({ id }) => id));
      const coming = waiting.flatMap((turn) => (turn.kind === 'create' && !there.has(turn.id) ? [turn] : []));
      return [
        ...machines.map((machine) =>
          find('delete', machine.id) >= 0 ? { ...machine, state: 'stopping' as const, message: WAITS } : machine,
        ),
        ...coming.map(({ id, lease }): Machine => {
          const { name: host, ip } = lease;
          // It does not exist yet, so it has no age.
          return { id, host, ip, state: 'starting', lease: lease.lease, since: now, message: WAITS };
        }),
      ];
    },
  };
}

/** Then whoever wants it has to ask again, and hears the error himself. */
const MOST_TIMES = 5;

const WAITS = 'waits for its turn: the VC controller changes one thing at a time';
