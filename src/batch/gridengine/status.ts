/**
 * getStatus: one qstat for instances and jobs of one moment, and beside it either a look at the waiting jobs' details or,
 * when a host's state is not the one last confirmed, a second reading of the hosts.
 *
 * Two commands. More come in two cases: the first reading of the service, which has nothing to compare with and takes
 * all three; and every ten minutes what is configured (see cell.ts).
 */
import { BatchError } from '../../domain/errors.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Batch } from '../batch.ts';
import type { Ask } from '../command.ts';
import { type Cell, makeCell } from './cell.ts';
import { makeDetails } from './details.ts';
import { findHosts, type HostRecord, nameFinder, type VoidNotes } from './hosts.ts';
import { LOAD_VALUES } from './node.ts';
import { NOTE } from './note.ts';
import { asksFor, matches, type Watched } from './queues.ts';
import { askAll, type Reading } from './records.ts';
import { putTogether } from './together.ts';
import { agrees, askSight, type Sight } from './witness.ts';

export interface StatusParts {
  readonly ask: Ask;
  readonly clock: Clock;
  readonly voids: VoidNotes;
}

/** How long what is configured is believed when it does not fit what is seen, ms. */
const DOUBTED = 60_000;

export function makeStatus({ ask, clock, voids }: StatusParts): Batch['getStatus'] {
  const cells = makeCell(ask, clock);
  const details = makeDetails(ask, clock);
  const memorySeen = new Map<string, number>();
  let sight: Sight | null = null;
  let doubted = clock.monotonic();

  /** A queue without an instance may have been deleted, a job may ask for a new environment: ask again, now and then. */
  function doubt(reading: Reading, queue: string, cell: Cell): void {
    const gone = !reading.instances.some((one) => one.queue === queue);
    const offered = [...cell.environments.keys()];
    const strange = reading.waiting.some(
      ({ environment }) => environment !== null && !offered.some((name) => matches(environment.name, name)),
    );
    if ((!gone && !strange) || clock.monotonic() - doubted < DOUBTED) return;
    doubted = clock.monotonic();
    cells.forget();
  }

  return async (queue, hosts, signal) => {
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(queue)) {
      throw new BatchError('no-queue', `Grid Engine has no queue ${JSON.stringify(queue)}`, {
        hint: 'correct QUEUE_NAME',
      });
    }
    const cell = await cells.cell(queue, signal);
    // what is asked every ten minutes is no measure of how busy the qmaster is
    const start = clock.monotonic();
    const reading = await askAll(ask, wanted(cell), signal);
    doubt(reading, queue, cell);
    const records = findHosts(reading, hosts, voids);
    const first = sight === null;
    const confirmed = sight !== null && hosts.every((host) => isConfirmed(host, records.get(host), sight as Sight));
    if (!confirmed) sight = await askSight(ask, signal);
    const queues = new Set(reading.instances.map((one) => one.queue));
    const watched: Watched = {
      queue,
      hostList: cell.hostList,
      hosts,
      only: queues.size === 0 || (queues.size === 1 && queues.has(queue)),
    };
    const waiting = reading.waiting.filter((job) => job.waits && asksFor(job.wish, watched));
    if (confirmed || first) await details.look(waiting, signal);
    const took = clock.monotonic() - start;
    return {
      ...putTogether({
        ...{ watched, cell, reading, records, waiting, memorySeen },
        detail: details.get,
        sight: sight as Sight,
        fresh: !confirmed,
        now: clock.now(),
      }),
      took,
    };
  };
}

/** Is a host as it was when both commands said the same? One that qstat does not list must be in no queue. */
function isConfirmed(host: string, record: HostRecord | undefined, sight: Sight): boolean {
  if (record !== undefined) return agrees(sight, record.name, record.instances);
  return nameFinder([...sight.keys()])(host).every((name) => sight.get(name)?.size === 0);
}

/** Attributes to be shown for each instance. */
function wanted(cell: Cell): string[] {
  const counted = [...cell.resources].filter(([, one]) => /^(MEMORY|INT)$/.test(one.type) && one.counted !== 'no');
  return [...new Set([NOTE, ...LOAD_VALUES, 'slots', ...counted.map(([name]) => name)])];
}
