/**
 * Generic resources as Slurm writes them. The same thing has many forms: `gpu:2`, `gpu` (one), `gres:gpu:2` (squeue
 * 22.05.8), `gres/gpu:a100:2` and `gres/gpu:a100=2` (later releases), `gpu:a100:2(S:0-1)` (scontrol, with its sockets),
 * `gpu:a100:1(IDX:0)` (in use, with the device), `gpu:(null):0`; and nothing is `N/A`, `(null)`, `none` or an empty text.
 */
import { parseCount } from './amounts.ts';

/** How many of each kind. A kind with a type counts under both names: `gpu:a100:2` is `{ gpu: 2, 'gpu:a100': 2 }`. */
export type Gres = Readonly<Record<string, number>>;

export const NO_GRES: Gres = {};

/** Trackable resources that are no generic resources; `--tres-per-task` puts `cpu=2` beside `gres/gpu=1`. */
const OTHERS = new Set(['cpu', 'mem', 'node', 'billing', 'energy', 'vmem', 'pages']);

/**
 * A list of what is asked for, what a node has, or what of it is in use. Never throws: what is no generic resource is
 * left out, a count that cannot be read is one.
 */
export function parseGres(text: string): Gres {
  const found: Record<string, number> = {};
  for (const [kind, type, amount] of items(text)) {
    const count = parseCount(amount) ?? 1;
    if (count === 0) continue;
    found[kind] = (found[kind] ?? 0) + count;
    if (type !== '') found[`${kind}:${type}`] = (found[`${kind}:${type}`] ?? 0) + count;
  }
  return Object.keys(found).length === 0 ? NO_GRES : found;
}

/**
 * What belongs to one of each kind: `--mem-per-gpu=100` is `gres:gpu:100`. A kind with a type stands under its full name.
 * @param read the amount, e.g. parseMiB
 */
export function parsePerGres(text: string, read: (amount: string) => number | null): Gres {
  const found: Record<string, number> = {};
  for (const [kind, type, amount] of items(text)) {
    const value = read(amount);
    if (value !== null) found[type === '' ? kind : `${kind}:${type}`] = value;
  }
  return Object.keys(found).length === 0 ? NO_GRES : found;
}

/** `cpu=3,mem=300M,gres/gpu=2,gres/gpu:a100=2`: here the kind's own number is the total already. */
export function parseTres(text: string): Gres {
  const found: Record<string, number> = {};
  for (const [, name, amount] of text.matchAll(/(?:^|,)gres\/([^=,]+)=([^,]+)/g)) {
    const count = parseCount(amount ?? '');
    if (name !== undefined && count !== null && !(name in Object.prototype)) found[name] = count;
  }
  return found;
}

/** What of `has` nobody uses; never below 0. */
export function minus(has: Gres, used: Gres): Gres {
  const free: Record<string, number> = {};
  for (const kind in has) free[kind] = Math.max(0, (has[kind] ?? 0) - (used[kind] ?? 0));
  return free;
}

/** A kind named like a property that every object has would be found on hosts that have none: it is left out. */
function* items(text: string): Generator<readonly [kind: string, type: string, amount: string]> {
  // the parentheses first: (S:0,2) has commas
  for (const item of text.replace(/\([^)]*\)/g, '').split(',')) {
    const plain = item.trim().replace(/^gres[:/]/, '');
    if (plain === '' || plain === 'N/A' || plain === 'none' || plain.includes('/')) continue;
    const parts = plain.split(/[:=]/).filter((part) => part !== '' && part !== 'no_consume');
    const amount = parts.length > 1 && parseCount(parts.at(-1) ?? '') !== null ? parts.pop() : '1';
    const [kind = '', ...type] = parts;
    if (kind !== '' && !OTHERS.has(kind) && !(kind in Object.prototype)) yield [kind, type.join(':'), amount ?? '1'];
  }
}
