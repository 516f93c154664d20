/**
 * Shapes: what the hosts of the queue are like when nothing runs on them, equal ones counted together, and whether a job
 * can fit at all. The batch system knows the configured size also of hosts without a machine.
 */
import type { Snapshot } from '../domain/snapshot.ts';
import { enough, type Share, suits } from './room.ts';
import type { View } from './view.ts';

interface Shape {
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly gres: Readonly<Record<string, number>>;
  readonly features: readonly string[];
  hosts: number;
}

export interface Shapes {
  /** CPUs of the largest host; 0 = not known. */
  readonly mostCpus: number;
  /** @returns null when the job can fit into an empty queue, else why it never can */
  neverFits(need: Share): string | null;
}

export function shapes(s: Snapshot, hosts: readonly View[]): Shapes {
  const found = new Map<string, Shape>();
  const byName = new Map<string, Shape>();
  let usable = 0;
  for (const { node, record, retired } of hosts) {
    if (retired || node === undefined || !node.inQueue || node.state === 'absent') continue;
    usable++;
    const { cpus, memoryMiB, gres = {}, features = [] } = node;
    const key = `${cpus}|${memoryMiB}|${JSON.stringify(gres)}|${features.join(',')}`;
    const known = found.get(key);
    const shape = known ?? { cpus, memoryMiB, gres, features, hosts: 0 };
    shape.hosts++;
    found.set(key, shape);
    byName.set(record.name, shape);
  }
  const all = [...found.values()];
  const most = (of: (shape: Shape) => number) => all.reduce((top, shape) => Math.max(top, of(shape)), 0);
  const mostCpus = most((shape) => shape.cpus);
  const mostMemory = most((shape) => shape.memoryMiB);
  const limit = Math.min(usable, s.pool.limits.maxNodes);
  const judged = new Map<string, string | null>();

  function judge(need: Share): string | null {
    if (mostCpus > 0 && need.cpus > mostCpus) {
      return `can never fit: asks for ${need.cpus} CPUs on one host, the largest host has ${mostCpus}`;
    }
    if (mostMemory > 0 && need.memoryMiB > mostMemory) {
      return `can never fit: asks for ${need.memoryMiB} MiB on one host, the largest host has ${mostMemory} MiB`;
    }
    const words = need.features.map((word) => word.join('&')).join('|');
    const suited = all.filter((shape) => suits(shape.features, need.features));
    if (suited.length === 0) return `can never fit: no host has the features ${words}`;
    const equipped = suited.filter((shape) => enough(shape.gres, need.gres));
    const things = Object.entries(need.gres).map(([kind, n]) => `${n} ${kind}`);
    if (equipped.length === 0)
      return `can never fit: no host has ${things.join(' and ')}${words === '' ? '' : ` and the features ${words}`}`;
    const holding = equipped.filter((shape) => big(shape, need)).reduce((sum, shape) => sum + shape.hosts, 0);
    if (holding === 0) return 'can never fit: no host has all it asks for together';
    for (const name of need.named) {
      const shape = byName.get(name);
      if (shape === undefined) continue; // nothing is known of it
      if (!equipped.includes(shape) || !big(shape, need)) return `can never fit: ${name} has not all it asks for`;
    }
    const possible = Math.min(holding, limit);
    if (need.nodes > possible)
      return `can never fit: asks for ${need.nodes} hosts, the queue can have ${possible}${holding < usable ? ' of that kind' : ''}`;
    return null;
  }

  return {
    mostCpus,
    neverFits(need) {
      if (usable === 0) return null; // nothing is known about the hosts: no ground for a verdict
      const key = `${need.nodes}|${need.cpus}|${need.memoryMiB}|${JSON.stringify([need.gres, need.features, need.named])}`;
      const known = judged.get(key);
      if (known !== undefined) return known;
      const verdict = judge(need);
      judged.set(key, verdict);
      return verdict;
    },
  };
}

function big(shape: Shape, need: Share): boolean {
  return (shape.cpus === 0 || shape.cpus >= need.cpus) && (shape.memoryMiB === 0 || shape.memoryMiB >= need.memoryMiB);
}
