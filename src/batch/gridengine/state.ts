/**
 * The states of a queue instance (`man 1 qstat`): a set of letters, tested one by one and never as a whole word, since
 * any of them can stand together (`du`, `auE`).
 */
import { isOurs, notOursIn } from './note.ts';
import type { Instance } from './records.ts';

/** Every letter there is, and what it says to people. */
const LETTERS: Readonly<Record<string, string>> = {
  u: 'its daemon does not answer',
  a: 'its load is above a limit of the queue',
  A: 'its load is above the suspend limit of the queue',
  d: 'disabled',
  D: 'closed by the calendar of the queue',
  E: 'a job could not be started there: qstat -f -explain E says why, qmod -cq clears it',
  s: 'suspended by a person: qmod -usq goes on',
  S: 'suspended in favour of another queue',
  C: 'suspended by the calendar of the queue',
  o: 'no longer in its queue',
  c: 'its configuration is ambiguous: qstat -f -explain c says why',
  P: 'preempted',
};

/** Letters that keep jobs out and that `qmod -e` does not lift: somebody else's business. */
const NOT_OURS = ['E', 's', 'c', 'D', 'S', 'C', 'P'];

/** A state is read only when all of it is understood. */
export function isKnown(state: string): boolean {
  return [...state].every((letter) => Object.hasOwn(LETTERS, letter));
}

export function isUnreachable(state: string): boolean {
  return state.includes('u');
}

/** A host removed from the queue stays as long as jobs run there. */
export function isOrphaned(state: string): boolean {
  return state.includes('o');
}

/** It is above a load limit: alive, but nothing starts there now. */
export function isLoaded(state: string): boolean {
  return /[aA]/.test(state) && !isUnreachable(state);
}

export type Gate = 'open' | 'ours' | 'theirs';

/** May jobs start here, and if not, who closed it? `note` is the host's. */
export function gateOf({ queue, state }: Pick<Instance, 'queue' | 'state'>, note: string): Gate {
  if (NOT_OURS.some((letter) => state.includes(letter))) return 'theirs';
  if (!state.includes('d')) return 'open';
  return isOurs(note) && !notOursIn(note).includes(queue) ? 'ours' : 'theirs';
}

/** Why it is closed, for people, where no note tells it. */
export function sayClosed(state: string): string {
  const letter = NOT_OURS.find((one) => state.includes(one));
  return letter === undefined ? '' : (LETTERS[letter] ?? '');
}

/** `disabled, its daemon does not answer`; `open` for an instance without a letter. */
export function sayState(state: string): string {
  return [...state].map((letter) => LETTERS[letter] ?? `state ${letter}`).join(', ') || 'open';
}
