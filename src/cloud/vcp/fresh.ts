/**
 * Fresh: machines that were accepted while a list was being read. That list may have looked before, and without them
 * it would say that they are gone.
 */
import type { Machine } from '../../domain/machine.ts';
import type { Lease } from '../cloud.ts';

export interface Fresh {
  /** A create was accepted. @param at monotonic ms */
  made(id: string, lease: Lease, at: number): void;
  forget(id: string): void;
  /** @param began when the reading of these machines began, monotonic ms */
  onto(machines: readonly Machine[], began: number): readonly Machine[];
}

export function makeFresh(): Fresh {
  const made = new Map<string, { readonly lease: Lease; readonly at: number }>();
  return {
    made: (id, lease, at) => void made.set(id, { lease, at }),
    forget: (id) => void made.delete(id),
    onto(machines, began) {
      for (const [id, { at }] of made) if (at < began) made.delete(id);
      const there = new Set(machines.map(({ id }) => id));
      const unseen = [...made].filter(([id]) => !there.has(id));
      return [
        ...machines,
        ...unseen.map(([id, { lease }]): Machine => {
          const { name: host, ip } = lease;
          return { id, host, ip, state: 'starting', lease: lease.lease, since: null, message: '' };
        }),
      ];
    },
  };
}
