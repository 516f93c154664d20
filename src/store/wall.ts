/**
 * What the store is told around a start: events carry the wall's time, since people read them; and a service that lost
 * its records waits before it creates anything.
 */
import type { CreationBrake } from '../domain/snapshot.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from './store.ts';

/** The same store, whose events carry the wall's time, whatever the service's own clock says. */
export function wallStore(store: Store, wall: Clock): Store {
  return { ...store, event: (level, subject, text) => store.event(level, subject, text, wall.now()) };
}

/** As long as a cloud's list may lag behind, ms. */
const LIST_LAG = 60_000;

/** Without our records a machine that was just asked for is known to nobody but the cloud: its list first. */
export function listsFirst(at: number): CreationBrake {
  return {
    kind: 'ambiguous',
    message: 'the records were lost: what the cloud is still creating must show in its list first',
    until: at + LIST_LAG,
    strikes: 0,
    bootFailures: 0,
  };
}
