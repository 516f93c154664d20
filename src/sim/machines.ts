/**
 * The cloud of a replay: the fake cloud, with a limit on how many machines may be asked for, and with news for the
 * replay of every machine that is made, runs, or is gone.
 */
import { type FakeCloud, fakeCloud } from '../cloud/fake.ts';
import { CloudError } from '../domain/errors.ts';
import type { Machine } from '../domain/machine.ts';
import { type BucketOptions, makeBucket } from './bucket.ts';
import type { Events } from './events.ts';

export interface MachineOptions {
  readonly events: Events;
  /** ms from the call to a machine that runs and whose daemon answers; asked once per machine. */
  readonly bootTime: (host: string) => number;
  /** ms from the delete call until it is gone. */
  readonly stopTime: number;
  readonly bucket: BucketOptions | null;
  readonly onBorn: (host: string) => void;
  readonly onUp: (host: string) => void;
  readonly onGone: (host: string) => void;
}

export function makeMachines(options: MachineOptions): FakeCloud {
  const { events, stopTime } = options;
  const bucket = options.bucket === null ? null : makeBucket(options.bucket, events.now);
  const lives = new Map<string, number>();
  const leaving = new Set<string>();
  const cloud = fakeCloud({
    clock: events.clock,
    stopTime,
    // The fake asks exactly when it makes a machine: a lease asked for twice makes, and is counted, once.
    bootTime(host) {
      const ms = options.bootTime(host);
      const life = (lives.get(host) ?? 0) + 1;
      lives.set(host, life);
      options.onBorn(host);
      events.at(events.now + ms, () => {
        if (lives.get(host) === life) options.onUp(host);
      });
      return ms;
    },
  });

  function gone(machine: Machine): void {
    if (leaving.has(machine.id)) return;
    leaving.add(machine.id);
    lives.set(machine.host, (lives.get(machine.host) ?? 0) + 1);
    events.at(events.now + stopTime, () => {
      leaving.delete(machine.id);
      options.onGone(machine.host);
    });
  }

  return {
    ...cloud,
    async create(leases, signal) {
      const allowed = bucket === null ? leases.length : bucket.take(leases.length, events.now);
      const made = await cloud.create(leases.slice(0, allowed), signal);
      const refused = leases.slice(allowed).map(({ name }) => ({
        host: name,
        id: null,
        error: new CloudError('throttled', 'the cloud takes no more requests now'),
      }));
      return [...made, ...refused];
    },
    async delete(machines, signal) {
      const outcomes = await cloud.delete(machines, signal);
      for (const machine of machines) gone(machine);
      return outcomes;
    },
  };
}
