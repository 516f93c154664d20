/**
 * When a plan would be another one although nothing in the world has changed: a job has waited long enough, a begin time
 * has come, an hour that is paid comes to its end. So that the next look comes in time, and a replay leaves out none.
 */
export interface Changes {
  /** A rule will decide anew at this time, epoch ms. Times that have passed are left out. */
  note(time: number): void;
  /** The first of them, epoch ms, or null. */
  readonly first: number | null;
}

/** @param now epoch ms */
export function makeChanges(now: number): Changes {
  let first = Number.POSITIVE_INFINITY;
  return {
    note(time) {
      if (time > now && time < first) first = time;
    },
    get first() {
      return Number.isFinite(first) ? first : null;
    },
  };
}
