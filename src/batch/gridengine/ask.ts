/**
 * What a job needs: how many hosts, and how much of each, from its slots and the rule of its parallel environment.
 */
import type { Ask } from '../../domain/job.ts';
import { fewest, parseMiB, parseSlots } from './amounts.ts';
import type { Cell, Rule } from './cell.ts';
import { matches } from './queues.ts';
import type { JobRecord } from './records.ts';

export interface Need {
  readonly ask: Ask;
  /** Why it can never start, or ''. */
  readonly never: string;
}

/** What is known of our hosts. */
export interface Sizes {
  /** Slots of the largest; 0 = not known. */
  readonly slots: number;
  /** The consumable that counts memory, or null. */
  readonly memory: string | null;
  /** Memory of some host is known, so it can be compared. */
  readonly memoryKnown: boolean;
  /** Consumables of the whole cell (`gc`), which no host gives. */
  readonly elsewhere: ReadonlySet<string>;
}

/** Load values and limits that people ask for instead of a consumable: a host must have that much, whatever the slots. */
const PER_HOST = ['mem_free', 'mem_total', 'virtual_free', 'virtual_total'];

export function needOf(job: JobRecord, queue: string, cell: Cell, sizes: Sizes): Need {
  const shape = shapeOf(job, queue, cell, sizes.slots);
  const { nodes, slots, perNode } = shape;
  const spread = Math.max(perNode, Math.ceil(slots / nodes));
  const memory = sizes.memoryKnown ? Math.ceil(memoryOn(job, cell, sizes.memory, spread)) : 0;
  const gres = countables(job, cell, spread, sizes.elsewhere);
  const ask = {
    nodes,
    cpus: slots,
    cpusPerNode: perNode,
    memoryMiB: memory,
    exclusive: isExclusive(job, cell),
    ...(Object.keys(gres).length === 0 ? {} : { gres }),
  };
  return { ask, never: shape.never };
}

/** MiB the job takes of a host on which it has so many slots. */
export function memoryOn(job: JobRecord, cell: Cell, counted: string | null, slots: number): number {
  let most = 0;
  if (counted !== null) {
    const resource = cell.resources.get(counted);
    const each = parseMiB(job.requests.get(counted) ?? resource?.fallback ?? '') ?? 0;
    most = each * (resource?.counted === 'slot' ? slots : 1);
  }
  for (const name of PER_HOST) {
    if (name !== counted) most = Math.max(most, parseMiB(job.requests.get(name) ?? '') ?? 0);
  }
  return most;
}

/** How much of a consumable a running job holds on a host, in its own unit (memory: MiB). */
export function takenOf(job: JobRecord, cell: Cell, name: string): number {
  const resource = cell.resources.get(name);
  if (resource === undefined) return 0;
  const text = job.requests.get(name) ?? resource.fallback;
  const each = resource.type === 'MEMORY' ? parseMiB(text) : Number(text);
  if (each === null || !Number.isFinite(each)) return 0;
  return each * (resource.counted === 'slot' ? job.slots : 1);
}

/** GPUs and the like: whole numbers that are handed out. */
export function isCountable(name: string, cell: Cell): boolean {
  const resource = cell.resources.get(name);
  return resource?.type === 'INT' && resource.counted !== 'no' && name !== 'slots';
}

/** What the job asks for of these on each of its hosts; those in `elsewhere` are no host's to give (licences). */
function countables(job: JobRecord, cell: Cell, slots: number, elsewhere: ReadonlySet<string>): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [name, value] of job.requests) {
    const each = Number(value);
    if (!isCountable(name, cell) || elsewhere.has(name) || !(each > 0)) continue;
    found[name] = Math.ceil(each * (cell.resources.get(name)?.counted === 'slot' ? slots : 1));
  }
  return found;
}

export function isExclusive(job: JobRecord, cell: Cell): boolean {
  return [...job.requests].some(
    ([name, value]) => cell.resources.get(name)?.relation === 'EXCL' && /^(1|1\.0*|true)$/i.test(value.trim()),
  );
}

interface Shape {
  readonly nodes: number;
  readonly slots: number;
  readonly perNode: number;
  readonly never: string;
}

function shapeOf(job: JobRecord, queue: string, cell: Cell, size: number): Shape {
  const { environment } = job;
  const plain = { nodes: 1, slots: Math.max(1, job.slots), perNode: Math.max(1, job.slots), never: '' };
  if (environment === null) return plain;
  const rules = [...cell.environments].filter(([name]) => matches(environment.name, name)).map(([, rule]) => rule);
  if (rules.length === 0) {
    const named = JSON.stringify(environment.name.slice(0, 40));
    return { ...plain, never: `the queue ${queue} does not offer the parallel environment ${named}` };
  }
  const ranges = parseSlots(environment.slots) ?? [{ from: plain.slots, to: plain.slots }];
  const shapes = rules.flatMap((rule) => shapeBy(rule, ranges, size) ?? []);
  // a pattern may mean several environments: the one that needs the fewest hosts, and slots, is enough
  shapes.sort((a, b) => a.nodes - b.nodes || a.slots - b.slots);
  const text = `${environment.name.slice(0, 40)} gives ${rules.filter((rule) => typeof rule === 'number').join(' or ')} slots on each host`;
  return (
    shapes[0] ?? {
      ...plain,
      never: `its number of slots, ${environment.slots.slice(0, 40)}, can never be had: ${text}`,
    }
  );
}

function shapeBy(rule: Rule, ranges: ReturnType<typeof parseSlots> & object, size: number): Shape | null {
  const step = typeof rule === 'number' ? rule : 1;
  const slots = fewest(ranges, step);
  if (slots === null) return null;
  if (typeof rule === 'number') return { nodes: slots / rule, slots, perNode: rule, never: '' };
  if (rule === 'one-host') return { nodes: 1, slots, perNode: slots, never: '' };
  return { nodes: size > 0 ? Math.ceil(slots / size) : 1, slots, perNode: 1, never: '' };
}
