/**
 * What happens outside the service, on the fakes: a machine's daemon comes up and goes with it, jobs start where there is
 * room and end when their time is over.
 */
import type { FakeBatch, FakeJobSpec } from '../batch/fake.ts';
import type { FakeCloud } from '../cloud/fake.ts';
import type { Clock } from '../lib/clock.ts';

export interface NatureParts {
  readonly clock: Clock;
  readonly batch: FakeBatch;
  readonly cloud: Pick<FakeCloud, 'machines'>;
  readonly hosts: readonly string[];
  /** A job, or one task of an array, has started on these hosts. */
  readonly onStart?: (job: string, hosts: readonly string[]) => void;
  readonly onEnd?: (job: string) => void;
}

export interface Nature {
  /** A job that runs for so many ms once it starts. @returns its id */
  submit(spec: FakeJobSpec, runs: number): string;
  /** All that must have happened by now. */
  step(): void;
  /** Names of the hosts whose machine runs. */
  running(): ReadonlySet<string>;
  /** Jobs that were on a node when its machine went away. There must never be one. */
  readonly killed: readonly string[];
}

export function makeNature(parts: NatureParts): Nature {
  const { clock, batch, cloud, hosts } = parts;
  const runsFor = new Map<string, number>();
  const endsAt = new Map<string, number>();
  const up = new Set<string>();
  const killed: string[] = [];
  const root = (job: string) => job.split('_')[0] ?? job;
  const running = () =>
    new Set(
      cloud
        .machines()
        .filter((one) => one.state === 'running')
        .map((one) => one.host),
    );

  function daemons(): void {
    const now = running();
    for (const host of hosts) {
      if (now.has(host) === up.has(host)) continue;
      if (now.has(host)) {
        up.add(host);
        batch.nodeUp(host);
      } else {
        up.delete(host);
        killed.push(...batch.running.filter((job) => batch.hostsOf(job).includes(host)));
        batch.nodeDown(host);
      }
    }
  }

  return {
    killed,
    running,
    submit(spec, runs) {
      const id = batch.submit(spec);
      runsFor.set(root(id), runs);
      return id;
    },
    step() {
      daemons();
      for (const [job, at] of endsAt) {
        if (clock.now() < at) continue;
        endsAt.delete(job);
        batch.finish(job);
        parts.onEnd?.(job);
      }
      for (const job of batch.schedule()) {
        endsAt.set(job, clock.now() + (runsFor.get(root(job)) ?? 0));
        parts.onStart?.(job, batch.hostsOf(job));
      }
    },
  };
}
