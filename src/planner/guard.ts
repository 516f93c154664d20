/**
 * The mass-disappearance guard: when more than half of the machines seem to vanish at once, the list is more likely
 * wrong than the world. Then nothing at all is done, and we say so. What ends it: the list shows them again, or the
 * batch system, the second witness, has lost the nodes too.
 */
import { list } from '../domain/words.ts';
import { type View, withMachine } from './view.ts';

/** @returns the reason to stand still, or null */
export function guard(hosts: readonly View[]): string | null {
  const expected = hosts.filter((v) => withMachine(v) && v.record.state !== 'stopping' && v.record.machineId !== null);
  const missing = expected.filter((v) => v.machine === undefined && v.node?.responding === true);
  if (missing.length < 2 || missing.length * 2 <= expected.length) return null;
  const names = list(missing.map((v) => v.record.name));
  return `the cloud suddenly lists ${missing.length} of ${expected.length} machines no more (${names}), but the batch system still reaches them`;
}
