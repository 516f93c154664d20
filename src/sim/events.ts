/**
 * The virtual time of a replay: a queue of things that happen at a time, and a Clock that reads from it. Nothing ever
 * waits; the time jumps to what happens next.
 */
import type { Clock } from '../lib/clock.ts';

export interface Events {
  /** The clock the controller and the fakes are handed. */
  readonly clock: Clock;
  /** Epoch ms, virtual. */
  readonly now: number;
  /** Something happens at this time; what was asked for first happens first when times are the same. */
  at(time: number, happen: () => void): void;
  /** When the next thing happens; Infinity when nothing is planned. */
  next(): number;
  /** Moves the time on to exactly `time` and lets everything due at it or before happen, in order. */
  moveTo(time: number): void;
}

interface Event {
  readonly time: number;
  readonly number: number;
  happen: (() => void) | null;
}

/** @param start epoch ms at which the virtual time begins */
export function makeEvents(start: number): Events {
  const heap: Event[] = [];
  let now = start;
  let number = 0;

  function add(time: number, happen: () => void): Event {
    const event: Event = { time: Math.max(time, now), number: number++, happen };
    push(heap, event);
    return event;
  }

  function next(): number {
    // Sleepers that were woken early stay in the heap until they come to its top.
    while (heap[0] !== undefined && heap[0].happen === null) pop(heap);
    return heap[0]?.time ?? Number.POSITIVE_INFINITY;
  }

  return {
    get now() {
      return now;
    },
    clock: {
      now: () => now,
      monotonic: () => now - start,
      sleep(ms, signal) {
        return new Promise<void>((resolve) => {
          if (signal?.aborted) return resolve();
          const event = add(now + ms, resolve);
          signal?.addEventListener(
            'abort',
            () => {
              event.happen = null;
              resolve();
            },
            { once: true },
          );
        });
      },
    },
    at: (time, happen) => void add(time, happen),
    next,
    moveTo(time) {
      while (next() <= time) {
        const event = pop(heap);
        now = Math.max(now, event.time);
        event.happen?.();
      }
      now = Math.max(now, time);
    },
  };
}

function before(a: Event | undefined, b: Event | undefined): boolean {
  if (a === undefined || b === undefined) return b === undefined;
  return a.time < b.time || (a.time === b.time && a.number < b.number);
}

function push(heap: Event[], event: Event): void {
  let at = heap.length;
  heap.push(event);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || !before(event, above)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = event;
}

function pop(heap: Event[]): Event {
  const top = heap[0];
  const last = heap.pop();
  if (top === undefined || last === undefined) throw new Error('nothing is planned');
  if (heap.length === 0) return top;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
    const below = heap[child];
    if (below === undefined || !before(below, last)) break;
    heap[at] = below;
    at = child;
  }
  heap[at] = last;
  return top;
}
