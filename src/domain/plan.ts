/**
 * Plan: what to do now, and why. The planner returns it and calls nothing; the controller carries it out.
 */
import type { HostState } from './lifecycle.ts';
import type { QueueClocks } from './snapshot.ts';

/**
 * - `create`     ask the cloud for a machine (again, with the same lease, when the last answer was lost)
 * - `prepare`    mount and check
 * - `join`       the batch system may give it jobs
 * - `drain`      no new jobs. With `to: null` it only closes the gate of a host that has no machine
 * - `undrain`    jobs again
 * - `delete`     take the machine away
 * - `quarantine` leave the host alone for a growing while
 * - `settle`     nothing to call: a fact was seen, the record follows
 * - `wait`       nothing to do, and why; no host
 */
export type StepKind =
  | 'create'
  | 'prepare'
  | 'join'
  | 'drain'
  | 'undrain'
  | 'delete'
  | 'quarantine'
  | 'settle'
  | 'wait';

export interface Step {
  readonly kind: StepKind;
  /** Host name; null only for `wait`. At most one step per host in a plan. */
  readonly host: string | null;
  /** The state the host moves to, written to the journal before the call; null = it stays where it is. */
  readonly to: HostState | null;
  /** A sentence for people: why. */
  readonly because: string;
  /** This life of the host failed to come up: counts towards quarantine and the breaker. */
  readonly failed?: boolean;
  /** quarantine: until when, epoch ms. */
  readonly until?: number;
}

/** What becomes of one waiting job. */
export interface Verdict {
  readonly job: string;
  /**
   * `now` = there is room, the batch system will start it; `coming` = its nodes are on their way;
   * `creating` = nodes are created for it in this plan; `blocked` = it would need nodes we cannot create now;
   * `not-helped` = nodes would not let it start; `never` = no host of the pool can ever hold it.
   */
  readonly kind: 'now' | 'coming' | 'creating' | 'blocked' | 'not-helped' | 'never';
  readonly hosts: readonly string[];
  /** One line: why. */
  readonly because: string;
}

/** Clocks as they stand after this look, for the store: only what changed is written. */
export interface ClockChanges {
  readonly queue: QueueClocks;
  readonly idleSince: ReadonlyMap<string, number | null>;
  readonly missingSince: ReadonlyMap<string, number | null>;
}

export interface Plan {
  readonly steps: readonly Step[];
  readonly verdicts: readonly Verdict[];
  readonly clocks: ClockChanges;
  /** Things a person should know that are no step: unknown pending reasons, a stranger's machine... Stable texts. */
  readonly warnings: readonly string[];
  /** The whole in sentences: "3 jobs wait; c2 and c3 are starting; creating c4." */
  readonly summary: string;
  /** When it would be another one although nothing changes, epoch ms; null = not before something does. */
  readonly changesAt: number | null;
}
