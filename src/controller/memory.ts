/**
 * What the controller remembers between looks; lost with the process, and that is no harm.
 */
import type { Plan } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import type { Sight } from './observe.ts';
import type { StatusView } from './view.ts';

export interface Memory {
  completeReads: number;
  /** Only where the pool has several clouds. */
  sight: Sight;
  /** The last look decided something that the one before had not. */
  acted: boolean;
  last: {
    readonly snapshot: Snapshot;
    readonly plan: Plan;
    waitingBecause(): StatusView['waitingBecause'];
  } | null;
  tally: Readonly<Record<string, number>> | null;
  warned: ReadonlySet<string>;
  nextLookAt: number | null;
  summary?: string;
}

/** A warning that stands is told when it begins. */
export function warnOnce(
  memory: Memory,
  recorder: { tell: (level: 'warn', subject: null, text: string) => void },
  now: readonly string[],
): void {
  for (const text of now) if (!memory.warned.has(text)) recorder.tell('warn', null, text);
  memory.warned = new Set(now);
}
