/**
 * A second pair of eyes. A machine may be deleted when its host looks idle or lost, and qstat says "open" by saying
 * nothing: an instance without a state. So a state that differs from the one last confirmed is believed only when
 * `qhost -q`, which names every state, says the same.
 */
import { BatchError } from '../../domain/errors.ts';
import { children } from '../../lib/xml.ts';
import type { Ask } from '../command.ts';
import { parseWhole } from './amounts.ts';
import { failureOf } from './command.ts';
import { readDocument } from './records.ts';

export interface SeenInstance {
  readonly state: string;
  readonly used: number;
}

/** By host, then by queue. A host in no queue has none. */
export type Sight = ReadonlyMap<string, ReadonlyMap<string, SeenInstance>>;

/** @throws BatchError */
export async function askSight(ask: Ask, signal?: AbortSignal): Promise<Sight> {
  const result = await ask(['qhost', '-xml', '-q'], signal);
  const failure = failureOf(result);
  if (failure) throw failure;
  return readSight(result.stdout);
}

/** @throws BatchError `garbled` */
export function readSight(text: string): Sight {
  const found = new Map<string, Map<string, SeenInstance>>();
  const bad = (what: string): never => {
    throw new BatchError('garbled', `the answer of qhost cannot be read: ${what.slice(0, 200)}`);
  };
  for (const host of readDocument(text, 'qhost', 'qhost').children) {
    const name = host.attributes.name;
    if (host.name !== 'host' || name === undefined || found.has(name)) return bad(`host ${JSON.stringify(name)}`);
    const queues = new Map<string, SeenInstance>();
    for (const queue of children(host, 'queue')) {
      const values = new Map(children(queue, 'queuevalue').map((one) => [one.attributes.name, one.text]));
      const used = parseWhole(values.get('slots_used'));
      const state = values.get('state_string');
      const key = queue.attributes.name;
      if (key === undefined || used === null || state === undefined || queues.has(key)) return bad(`queue of ${name}`);
      queues.set(key, { state, used });
    }
    found.set(name, queues);
  }
  // it stands for the cell and is always there
  if (!found.delete('global')) return bad('it has no end or no beginning');
  return found;
}

/** Load comes and goes, and means nothing for what may be done to a host. */
export function essence(state: string): string {
  return [...state]
    .filter((letter) => letter !== 'a' && letter !== 'A')
    .sort()
    .join('');
}

/** Do both readings say the same of a host? `name` is Grid Engine's, `instances` those of the first reading. */
export function agrees(
  sight: Sight,
  name: string,
  instances: readonly { readonly queue: string; readonly state: string }[],
): boolean {
  const queues = sight.get(name);
  if (queues === undefined || queues.size !== instances.length) return false;
  return instances.every(({ queue, state }) => {
    const seen = queues.get(queue);
    return seen !== undefined && essence(seen.state) === essence(state);
  });
}
