/**
 * A clock that no step of the wall clock disturbs: it begins with the wall's time and then only follows the monotonic
 * clock. What counts durations (deadlines, idle times, pauses) uses it; what people read is put back on the wall's time
 * with `offset`.
 */
import type { Clock } from './clock.ts';

export interface SteadyClock extends Clock {
  /** What has to be added to `now()` for the wall's time, ms; 0 until somebody sets the wall clock. */
  offset(): number;
}

/** Smaller differences are rounding and the slow hand of NTP, no step; ms. */
const NO_STEP = 1000;

export function steadyClock(clock: Clock): SteadyClock {
  const begin = clock.now();
  const since = clock.monotonic();
  const now = () => Math.round(begin + clock.monotonic() - since);
  return {
    now,
    monotonic: () => clock.monotonic(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    offset() {
      const off = clock.now() - now();
      return Math.abs(off) < NO_STEP ? 0 : off;
    },
  };
}
