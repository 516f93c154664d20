/**
 * A node that `pbsnodes -c` opened is `down` until its mom reports the next time, at most 45 s later with the default
 * $status_update_time (seen with pbs_server 6.1.3: 4 s, and once at once). It is not lost: it was there a moment ago,
 * and jobs will start on it. Believing the word would have the service close it again, and so on for ever.
 *
 * So for a while after our own opening such a node counts as it was before: as long as it is `down` and nothing else,
 * and the mom has not reported since. Whether it has jobs is read from the lists as ever.
 */
import type { Clock } from '../../lib/clock.ts';
import type { NodeFacts, NodeReading } from '../pbs-family/node.ts';

/** ms; twice the longest usual time between two reports. */
const AWAITED = 90_000;

export interface JustOpened {
  /** These hosts were opened just now, and are read next. */
  add(hosts: readonly string[]): void;
  correct(reading: NodeReading): NodeReading;
  /** Hosts that were opened and have come back since the last call. */
  takeBack(reading: NodeReading): readonly string[];
}

interface Opened {
  readonly at: number;
  /**
   * As first read after the opening: the mom may have reported between the reading before and the opening, but a report
   * after it would have brought the node back.
   */
  registration: string | null | undefined;
}

export function makeJustOpened(clock: Clock): JustOpened {
  const opened = new Map<string, Opened>();
  return {
    add(hosts) {
      for (const host of hosts) opened.set(host, { at: clock.monotonic(), registration: undefined });
    },
    correct(reading) {
      if (opened.size === 0) return reading;
      const nodes = new Map(reading.nodes);
      for (const [host, entry] of opened) {
        const facts = nodes.get(host);
        if (!facts) continue;
        if (entry.registration === undefined) entry.registration = facts.registration;
        if (clock.monotonic() - entry.at >= AWAITED || !isAwaited(facts, entry.registration)) continue;
        nodes.set(host, { ...facts, down: false, words: `${facts.words} (opened, its mom reports soon)` });
      }
      return { ...reading, nodes };
    },
    takeBack(reading) {
      const back: string[] = [];
      for (const [host, { at, registration }] of opened) {
        const facts = reading.nodes.get(host);
        if (facts && isAwaited(facts, registration) && clock.monotonic() - at < AWAITED) continue;
        opened.delete(host);
        if (facts && !facts.down && facts.closed === 'no') back.push(host);
      }
      return back;
    },
  };
}

function isAwaited(facts: NodeFacts, registration: string | null | undefined): boolean {
  return (
    /^down(,job-exclusive|,job-sharing)?$/.test(facts.words) &&
    facts.registration === registration &&
    facts.registration !== null
  );
}
