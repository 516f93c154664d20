/**
 * What a job of PBS asks for: chunks (`1:ncpus=2:mem=1gb+2:ncpus=1`) and how they are placed (`scatter:excl`).
 */
import type { Ask } from '../../domain/job.ts';
import { parseCount, parseMiB } from '../pbs-family/amounts.ts';
import type { Wants } from '../pbs-family/job.ts';

export interface Chunk {
  readonly count: number;
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly gpus: number;
  /** `host=p1`, `arch=linux`: what the host must be, by name. */
  readonly needs: readonly string[];
}

export interface Request {
  readonly ask: Ask;
  readonly wants: Wants | null;
}

/** Resources that name a host or a kind of host; other strings may be of any meaning to the site. */
const NAMING: ReadonlySet<string> = new Set(['host', 'vnode', 'arch']);

/** @returns null when the text is not of this grammar */
export function parseSelect(text: string): Chunk[] | null {
  const chunks: Chunk[] = [];
  for (const part of text.split('+')) {
    const words = part.trim().split(':');
    const number = /^\d{1,7}$/.test(words[0] ?? '') ? Number(words.shift()) : 1;
    let cpus = 1;
    let [memoryMiB, gpus] = [0, 0];
    const needs: string[] = [];
    for (const word of words) {
      const match = /^([A-Za-z]\w*)=(.+)$/s.exec(word);
      if (!match) return null;
      const [, key = '', value = ''] = match;
      if (key === 'ncpus') {
        const count = parseCount(value);
        if (count === null) return null;
        cpus = count;
      } else if (key === 'mem') {
        const size = parseMiB(value);
        if (size === null) return null;
        memoryMiB = size;
      } else if (key === 'ngpus') {
        const count = parseCount(value);
        if (count === null) return null;
        gpus = count;
      } else if (NAMING.has(key)) needs.push(word);
    }
    if (number === 0 || (part.trim() !== part && part.trim() === '')) return null;
    if (words.length === 0 && !/^\d+$/.test(part.trim())) return null;
    chunks.push({ count: number, cpus, memoryMiB, gpus, needs });
  }
  return chunks.length === 0 ? null : chunks;
}

/**
 * @param size of the pool's largest host; 0 = not known. A chunk never spans two hosts, so where chunks may be put
 *   together freely the number of hosts, at least, follows from its size.
 */
export function readRequest(
  select: string,
  place: string,
  size: { readonly cpus: number; readonly memoryMiB: number },
): Request | null {
  const chunks = parseSelect(select);
  if (!chunks) return null;
  const how = place.split(':');
  const total = (of: (chunk: Chunk) => number): number => chunks.reduce((sum, one) => sum + one.count * of(one), 0);
  const most = (of: (chunk: Chunk) => number): number => Math.max(...chunks.map(of));
  const exclusive = how.includes('excl') || how.includes('exclhost');
  const cpus = total((one) => one.cpus);
  const ask = (nodes: number, cpusPerNode: number, memoryMiB: number, gpus: number): Ask => ({
    nodes,
    cpus: Math.max(cpus, nodes),
    cpusPerNode: Math.max(1, cpusPerNode),
    memoryMiB,
    exclusive,
    ...(gpus === 0 ? {} : { gres: { gpu: gpus } }),
  });
  const wants = wantsOf(chunks);
  const all = total(() => 1);
  const share = (nodes: number, of: (part: (chunk: Chunk) => number) => number): Request => ({
    ask: ask(
      nodes,
      of((one) => one.cpus),
      of((one) => one.memoryMiB),
      of((one) => one.gpus),
    ),
    wants,
  });
  if (how.includes('pack')) return share(1, total);
  if (how.includes('scatter') || how.includes('vscatter')) return share(all, most);
  const nodes = Math.max(1, Math.ceil(chunks.reduce((sum, one) => sum + one.count / perHost(one, size), 0) - 1e-9));
  const each = (one: Chunk): number => Math.min(Math.ceil(one.count / nodes), perHost(one, size));
  return share(nodes, (of) => (nodes === 1 ? total(of) : most((one) => of(one) * each(one))));
}

/** How many of these chunks one host takes; without its size as many as there are. */
function perHost(chunk: Chunk, size: { readonly cpus: number; readonly memoryMiB: number }): number {
  const by = (has: number, needs: number): number =>
    has > 0 && needs > 0 ? Math.floor(has / needs) : Number.POSITIVE_INFINITY;
  return Math.max(1, Math.min(by(size.cpus, chunk.cpus), by(size.memoryMiB, chunk.memoryMiB)));
}

function wantsOf(chunks: readonly Chunk[]): Wants | null {
  const most = chunks.filter((one) => one.needs.length > 0).toSorted((a, b) => b.count - a.count)[0];
  if (!most) return null;
  const alike = chunks.every((one) => one.needs.join(':') === most.needs.join(':'));
  // several chunks for one host by name still mean one host
  const one = most.needs.some((need) => !need.startsWith('arch='));
  const others = [...new Set(chunks.filter((chunk) => chunk !== most).flatMap((chunk) => chunk.needs))];
  const more = alike || others.length === 0 ? {} : { others };
  return { names: most.needs, hosts: one ? 1 : most.count, all: alike && one, ...more };
}
