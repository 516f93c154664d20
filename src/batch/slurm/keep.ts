/**
 * What stays after a reading must not hold on to it: a piece of 13 characters or more that V8 cuts out of a text keeps
 * the whole text alive, here some megabytes of squeue's output for as long as one job is remembered. And 10,000 jobs
 * have few users, reasons and sizes: equal ones are kept once.
 */
import { oneLine } from '../../lib/log.ts';

/** Pieces shorter than this are copied by V8 itself. */
const SLICED = 13;

/** @returns an equal text that holds on to nothing else */
export function own(text: string): string {
  return text.length < SLICED ? text : Buffer.from(text).toString();
}

/** Makes a function remember its answers; use it for one reading only. */
export function remember<K, V>(make: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    const found = known.get(key);
    if (found !== undefined || known.has(key)) return found as V;
    const made = make(key);
    known.set(key, made);
    return made;
  };
}

/** For one reading: a text people chose, safe to print, each kept once. */
export function makeKeepLine(): (text: string) => string {
  return remember((text) => own(oneLine(text)));
}
