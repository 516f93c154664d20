/**
 * Why a job waits, as both families' tables of comments say it.
 */
import type { Job } from '../../domain/job.ts';

export interface Verdict {
  readonly helped: Job['helped'];
  readonly because: string;
  /** The batch system's own words, or the nearest to them. */
  readonly reason: string;
}

export interface Waiting {
  readonly code: string;
  /** `n`, or letters of `u o s l p`. */
  readonly holds: string;
  readonly depend: string;
  readonly comment: string;
  /** May it be started, as far as the server is concerned? */
  readonly eligible: boolean;
  /** Epoch ms, or null. */
  readonly startAfter: number | null;
}

/** A pattern of a comment, and why nodes do not help; empty = they do. */
export type Comments = readonly (readonly [RegExp, string])[];

export function no(reason: string, because: string): Verdict {
  return { helped: 'no', because, reason };
}

export const HELD = 'it is held; its owner or an operator must release it';

/** States both know that are no wait for nodes. */
export function judgeState({ code, startAfter }: Waiting): Verdict | null {
  if (code === 'T') return no('Transit', 'it is being moved to another queue');
  if (code !== 'W') return null;
  const when = startAfter === null ? '' : `: ${new Date(startAfter).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return no('Waiting', `its start time has not come${when}`);
}

/** Held for another job? Only of what it waits for, not of what waits for it. */
export function judgeDepend(depend: string): Verdict | null {
  if (!/(^|,)(after\w*|on|sync\w*|runone)\b/.test(depend)) return null;
  const parts = depend.split(',').filter((part) => !part.startsWith('before'));
  return no(depend, `it is held until another job ends: ${parts.join(',').slice(0, 120)}`);
}

/** @param text the comment without what stands before every comment of the scheduler's; the first pattern that fits */
export function judgeComment(text: string, comments: Comments): Verdict {
  const known = comments.find(([pattern]) => pattern.test(text));
  if (!known) return { helped: 'unknown', because: '', reason: text };
  return known[1] === '' ? { helped: 'yes', because: '', reason: text } : no(text, known[1]);
}
