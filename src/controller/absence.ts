/**
 * Absence: a host with a machine that one answer of the batch system does not name. It may be taken out of the
 * configuration, or the answer may have a hole; and a job may run there. For a minute it counts as a node that cannot be
 * read, which nobody touches; then the absence is believed.
 */
import type { HostRecord } from '../domain/host.ts';
import { WITH_MACHINE } from '../domain/lifecycle.ts';
import type { BatchNode } from '../domain/node.ts';
import type { Clock } from '../lib/clock.ts';

export interface Absence {
  /** The nodes as they should be taken. */
  doubt(nodes: readonly BatchNode[], hosts: readonly HostRecord[]): readonly BatchNode[];
}

/** ms */
export const BELIEVED_AFTER = 60_000;

/** Remembers in memory: a service that has just started doubts anew. */
export function makeAbsence(clock: Clock): Absence {
  const since = new Map<string, number>();
  return {
    doubt(nodes, hosts) {
      const now = clock.monotonic();
      const withMachine = new Set(hosts.filter((host) => WITH_MACHINE.has(host.state)).map((host) => host.name));
      return nodes.map((node) => {
        if (node.state !== 'absent' || !withMachine.has(node.host)) {
          since.delete(node.host);
          return node;
        }
        const first = since.get(node.host) ?? now;
        since.set(node.host, first);
        if (now - first >= BELIEVED_AFTER) return node;
        return { ...node, state: 'unknown', closed: 'theirs', hasJob: true, words: 'not named just now' };
      });
    },
  };
}
