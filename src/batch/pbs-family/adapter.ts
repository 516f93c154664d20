/**
 * The adapter both families share: two readings put together, and the gate. What differs is handed in.
 */
import { BatchError } from '../../domain/errors.ts';
import type { Batch, BatchVersion } from '../batch.ts';
import { makeAsk } from '../command.ts';
import { type AskFamily, makeAddsUp } from './adds-up.ts';
import { type Gate, join, leave } from './change.ts';
import type { JobReading } from './job.ts';
import type { NodeReading } from './node.ts';
import type { PbsFamilyParts, PbsFamilySettings } from './settings.ts';
import { putTogether } from './together.ts';

export interface Family {
  /** `torque` */
  readonly key: string;
  /** `Torque` */
  readonly name: string;
  readonly version: (signal?: AbortSignal) => Promise<BatchVersion>;
  readonly nodes: (hosts: readonly string[], signal?: AbortSignal) => Promise<NodeReading>;
  /** @param nodes the reading just before: a family may compare the two */
  readonly jobs: (queue: string, nodes: NodeReading | null, signal?: AbortSignal) => Promise<JobReading>;
  readonly gate: Pick<Gate, 'open' | 'close' | 'longest' | 'opened'>;
  /** Called with every reading before it is given back. */
  readonly seen?: (nodes: NodeReading, jobsWait: boolean, signal?: AbortSignal) => Promise<void>;
}

export function makeFamilyAsk({ run }: PbsFamilyParts, settings: PbsFamilySettings): AskFamily {
  return makeAsk(run, settings);
}

export function makePbsFamily(
  family: Family,
  ask: AskFamily,
  settings: PbsFamilySettings,
  { clock }: PbsFamilyParts,
): Batch {
  const addsUp = makeAddsUp(ask, clock);
  const gate: Gate = {
    ...family.gate,
    family: family.name,
    ask,
    async look(hosts, signal) {
      const nodes = await family.nodes(hosts, signal);
      const { nodes: views } = putTogether({
        ...{ family: family.name, queue: '', hosts, nodes, nodeMemory: 0 },
        jobs: { jobs: [], broken: [] },
      });
      return new Map(
        views.map((node) => [node.host, { node, address: nodes.nodes.get(node.host)?.address ?? node.host }]),
      );
    },
  };
  return {
    family: family.key,
    checkVersion: family.version,
    async getStatus(queue, hosts, signal) {
      if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(queue)) {
        throw new BatchError('no-queue', `${family.name} has no queue ${JSON.stringify(queue)}`, {
          hint: 'correct QUEUE_NAME',
        });
      }
      const start = clock.monotonic();
      const nodes = await family.nodes(hosts, signal);
      let jobs = await family.jobs(queue, nodes, signal);
      const some = (reading: JobReading): number => reading.jobs.length + reading.broken.length;
      if (some(jobs) === 0) {
        const again = async (): Promise<number> => {
          jobs = await family.jobs(queue, null, signal);
          return some(jobs);
        };
        await addsUp(queue, again, signal);
      }
      const took = clock.monotonic() - start;
      const status = putTogether({
        ...{ family: family.name, queue, hosts, nodes, jobs, nodeMemory: settings.nodeMemory },
      });
      const wait = status.jobs.some((job) => job.state === 'waiting' && job.helped !== 'no');
      await family.seen?.(nodes, wait, signal);
      return { ...status, took };
    },
    joinCluster: (hosts, signal) => join(gate, hosts, signal),
    leaveCluster: (hosts, reason, signal) => leave(gate, hosts, reason, signal),
  };
}
