/**
 * The oracle: it watches the world and not the service, at the moment things happen there.
 *
 * - no machine is taken away under a job that runs on it;
 * - no machine that is not ours is taken away;
 * - no host gets a second machine while it has one;
 * - in peace no machine stays longer than `FORGOTTEN` without a host that knows of it;
 * - never more machines than hosts, those that are being deleted already not counted.
 */
import { WITH_MACHINE } from '../../domain/lifecycle.ts';
import type { Machine } from '../../domain/machine.ts';
import type { World } from '../world.ts';

export interface Oracle {
  /** What must never happen and did. */
  readonly violations: readonly string[];
  /** What the service itself had told last, when the first of them came to light. */
  readonly told: readonly string[];
  /** Handed to the cloud of the world. */
  readonly hooks: {
    onMade(machine: Machine, others: readonly Machine[]): void;
    onTaken(machine: Machine, ours: boolean): void;
  };
  /** The world, once it is made. */
  watch(world: World): void;
  /** To be called often in times of peace. */
  inPeace(): void;
  say(violation: string): void;
}

/** ms. Longer than any deadline of a history and the longest answer together. */
const FORGOTTEN = 45 * 60_000;

export function makeOracle(): Oracle {
  const violations: string[] = [];
  let world: World | null = null;
  const told: string[] = [];
  const say = (text: string) => {
    if (violations.length === 0) told.push(...lastEvents(world));
    if (violations.length < 20 && !violations.includes(text)) violations.push(text);
  };
  const strayingSince = new Map<string, number>();

  return {
    violations,
    told,
    say,
    watch(made) {
      world = made;
    },
    hooks: {
      onMade(machine, others) {
        // One that is on its way out already is no second one: it only needs its time. (A cloud that minds its addresses
        // refuses the new one until then.)
        for (const other of others)
          if (other.state !== 'stopping')
            say(`${machine.host} got ${machine.id} while it had ${other.id} (${other.state})`);
      },
      onTaken(machine, ours) {
        if (!ours) say(`${machine.id} on ${machine.ip} was deleted and is not ours`);
        const jobs = world?.batch.running.filter((job) => world?.batch.hostsOf(job).includes(machine.host)) ?? [];
        const record = world?.store.host(machine.host);
        if (jobs.length > 0 && machine.state === 'running')
          say(
            `${machine.host} (${machine.id}) was deleted while ${jobs.join(' ')} ran on it: ${record?.state}, ${record?.reason}`,
          );
      },
    },
    inPeace() {
      if (world === null) return;
      const now = world.clock.monotonic();
      const machines = world.cloud.machines();
      // As with a second machine: one that is on its way out only needs its time, beside its host's next one (which only
      // a cloud that minds no addresses gives).
      const staying = machines.filter((one) => one.state !== 'stopping').length;
      if (staying > world.everyHost.length) say(`${staying} machines for ${world.everyHost.length} hosts`);
      const owned = new Set(
        world.store
          .hosts()
          .filter((host) => WITH_MACHINE.has(host.state))
          .map((host) => host.name),
      );
      for (const id of strayingSince.keys()) if (!machines.some((one) => one.id === id)) strayingSince.delete(id);
      for (const machine of machines) {
        if (owned.has(machine.host) || machine.state === 'stopping') strayingSince.delete(machine.id);
        else if (!strayingSince.has(machine.id)) strayingSince.set(machine.id, now);
        else if (now - (strayingSince.get(machine.id) ?? now) > FORGOTTEN)
          say(`${machine.id} of ${machine.host} has been ${machine.state} with no host that knows of it`);
      }
    },
  };
}

function lastEvents(world: World | null): readonly string[] {
  if (world === null) return [];
  const start = world.clock.now() - world.clock.monotonic();
  return world.store.events(80).map((event) => `${Math.round((event.at - start) / 1000)} s ${event.text}`);
}
