/**
 * The mass-disappearance guard: when more than half of the machines seem to vanish at once, from the cloud's list or
 * from the batch system's, the list is more likely wrong than the world. Then nothing at all is done, and we say so.
 * What ends it: the list shows them again, or the second witness has lost them too; for nodes that were taken out of the
 * batch system on purpose, that they are taken out of hosts.json as well.
 */
import { list } from '../domain/words.ts';
import { type View, withMachine } from './view.ts';

/** @returns the reason to stand still, or null */
export function guard(hosts: readonly View[]): string | null {
  return lostByCloud(hosts) ?? lostByBatchSystem(hosts);
}

function lostByCloud(hosts: readonly View[]): string | null {
  const expected = hosts.filter((v) => withMachine(v) && v.record.state !== 'stopping' && v.record.machineId !== null);
  const missing = expected.filter((v) => v.machine === undefined && v.node?.responding === true);
  if (!most(missing, expected)) return null;
  return `the cloud suddenly lists ${missing.length} of ${expected.length} machines no more (${names(missing)}), but the batch system still reaches them`;
}

/**
 * A slurm.conf without our nodes, a queue emptied by mistake: jobs may run there that nobody can see now. One batch system
 * is behind all clouds, so this is asked for all hosts together.
 * @returns the reason to stand still, or null
 */
export function lostByBatchSystem(hosts: readonly View[]): string | null {
  const expected = hosts.filter(
    (v) =>
      !v.retired && v.machine?.state === 'running' && (v.record.state === 'ready' || v.record.state === 'draining'),
  );
  const missing = expected.filter((v) => v.node === undefined || v.node.state === 'absent');
  if (!most(missing, expected)) return null;
  return `the batch system suddenly knows ${missing.length} of ${expected.length} nodes no more (${names(missing)}), but their machines run`;
}

function most(missing: readonly View[], expected: readonly View[]): boolean {
  return missing.length >= 2 && missing.length * 2 > expected.length;
}

function names(hosts: readonly View[]): string {
  return list(hosts.map((v) => v.record.name));
}
