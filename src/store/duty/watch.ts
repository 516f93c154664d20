/**
 * Watches whether another process still gives signs of life. Only what this process sees by its own monotonic clock
 * counts: two machines' clocks are never compared. Time in which nothing could be read (the storage hung, this process
 * was stopped) is not the other's silence.
 */
import type { Clock } from '../../lib/clock.ts';

export interface Watch {
  /**
   * @param life anything that changes while the other lives; null when it could not be read this time
   * @returns for how long it is seen to be silent, ms; `alive` once it changed under our eyes
   */
  look(life: string | null): { readonly silent: number; readonly alive: boolean };
}

/** @param every how often `look` is called, ms: of a longer gap only twice this counts */
export function makeWatch(clock: Clock, every: number): Watch {
  let seen: string | null = null;
  let lastLook: number | null = null;
  let silent = 0;
  let alive = false;
  return {
    look(life) {
      const at = clock.monotonic();
      const gap = lastLook === null ? 0 : Math.min(at - lastLook, 2 * every);
      if (life === null) {
        lastLook = null;
        return { silent, alive };
      }
      lastLook = at;
      if (life === seen) silent += gap;
      else {
        alive = seen !== null;
        seen = life;
        silent = 0;
      }
      return { silent, alive };
    },
  };
}
