/**
 * What the words of a node's state mean. Both servers print a list of them, `down,offline`; every word is looked up for
 * itself, and one that is not in the family's table makes the node unreadable: it could mean anything.
 */
import type { Closed } from '../../domain/node.ts';
import { MARK } from '../batch.ts';

export interface Meaning {
  readonly down?: boolean;
  readonly silent?: boolean;
  readonly full?: boolean;
  readonly works?: boolean;
  /** Kept from jobs by somebody or something else than offline. */
  readonly aside?: boolean;
}

export interface State {
  readonly readable: boolean;
  any(key: keyof Meaning): boolean;
  every(key: keyof Meaning): boolean;
}

/** @param lists one list of words for each vnode of the host */
export function readState(lists: readonly (readonly string[])[], table: Readonly<Record<string, Meaning>>): State {
  const of = (word: string): Meaning | undefined => (Object.hasOwn(table, word) ? table[word] : undefined);
  return {
    // free stands alone, or not at all
    readable: lists.every(
      (words) => words.every((word) => of(word)) && (words.length === 1 || !words.includes('free')),
    ),
    any: (key) => lists.some((words) => words.some((word) => of(word)?.[key] === true)),
    every: (key) => lists.every((words) => words.some((word) => of(word)?.[key] === true)),
  };
}

/** @param note what the person, or we, gave as the reason */
export function closedOf(offline: boolean, aside: boolean, note: string): Closed {
  if (aside) return 'theirs';
  if (!offline) return 'no';
  return note.startsWith(MARK) ? 'ours' : 'theirs';
}
