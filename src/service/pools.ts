/**
 * The pools behind one API. With one pool every answer is that pool's own; with several, a call may name one
 * (`?pool=gpu`), and one that names none is answered for all of them.
 */
import type { Answer, Control, EventView } from '../controller/view.ts';
import { list } from '../domain/words.ts';

export interface PoolControl {
  readonly name: string;
  readonly control: Control;
}

/** What several pools answer to one call. */
export interface OfPools<T> {
  readonly pools: readonly OfPool<T>[];
}

export interface OfPool<T> {
  readonly pool: string;
  /** Absent when this pool could not answer; `error` says why. */
  readonly view?: T;
  readonly error?: string;
}

/** A pool was named that is not there. */
export class NoSuchPool extends Error {
  override readonly name = 'NoSuchPool';
}

export interface Pools {
  readonly all: readonly PoolControl[];
  /** The named one, or all of them. @throws NoSuchPool */
  chosen(name: string | undefined): readonly PoolControl[];
  /** The pool that has this host; null when none has. */
  withHost(host: string, among: readonly PoolControl[]): PoolControl | null;
}

export function makePools(given: Control | readonly PoolControl[]): Pools {
  const all = isList(given) ? given : [{ name: '', control: given }];
  const nameOf = (one: PoolControl) => (one.name === '' ? one.control.status().pool : one.name);
  return {
    all,
    chosen(name) {
      if (name === undefined) return all;
      const found = all.filter((one) => nameOf(one) === name);
      if (found.length > 0) return found;
      throw new NoSuchPool(`there is no pool ${name}; the service has ${list(all.map(nameOf))}`);
    },
    withHost: (host, among) => among.find(({ control }) => control.nodes().some((node) => node.host === host)) ?? null,
  };
}

/** One answer of several: yes when all say yes. */
export function together(answers: readonly (Answer & { readonly pool: string })[]): Answer {
  const [only] = answers;
  if (only !== undefined && answers.length === 1) return { ok: only.ok, text: only.text };
  const ok = answers.every((answer) => answer.ok);
  const same = new Set(answers.map((answer) => answer.text)).size === 1 && only !== undefined;
  return { ok, text: same ? only.text : answers.map(({ pool, text }) => `${pool}: ${text}`).join('; ') };
}

/** The newest events of all these pools, oldest first, each with its pool; one of the service as a whole has none. */
export function eventsOf(pools: readonly PoolControl[], limit: number, after?: number): readonly EventView[] {
  const [only] = pools;
  if (only !== undefined && pools.length === 1) return only.control.events(limit, after);
  const found = new Map<number, EventView>();
  for (const { name, control } of pools) {
    for (const event of control.events(limit, after)) {
      const twice = found.has(event.id);
      found.set(event.id, twice ? event : { ...event, pool: name });
    }
  }
  return [...found.values()].sort((a, b) => a.id - b.id).slice(-limit);
}

/** Resolves when one of them has an event newer than `after`, or the signal aborts. */
export async function newsOf(pools: readonly PoolControl[], after: number, signal: AbortSignal): Promise<void> {
  const enough = new AbortController();
  const until = AbortSignal.any([enough.signal, signal]);
  try {
    await Promise.race(pools.map(({ control }) => control.waitForEvent(after, until)));
  } finally {
    enough.abort();
  }
}

function isList(given: Control | readonly PoolControl[]): given is readonly PoolControl[] {
  return Array.isArray(given);
}
