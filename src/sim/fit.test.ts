import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeBucket } from './bucket.ts';
import { fit } from './fit.ts';
import type { TraceJob } from './read/trace.ts';

const DAY = 86_400_000;

function job(changes: Partial<TraceJob> = {}): TraceJob {
  return {
    id: '1',
    submit: 0,
    run: 60_000,
    limit: 120_000,
    nodes: 1,
    cpus: 1,
    memoryMiB: 0,
    queue: 'cloud',
    ...changes,
  };
}

const EVERYTHING = { from: null, days: null, queue: null };

describe('a job of the log on hosts with 8 CPUs and 1,000 MiB', () => {
  const cases: readonly [string, Partial<TraceJob>, readonly [nodes: number, cpus: number, memory: number] | string][] =
    [
      ['one CPU', {}, [1, 1, 0]],
      ['more CPUs than a host has are spread', { cpus: 20 }, [3, 7, 0]],
      ['it keeps the hosts it had', { nodes: 4, cpus: 8 }, [4, 2, 0]],
      ['memory is spread, too', { cpus: 4, memoryMiB: 2500 }, [3, 2, 834]],
      ['one CPU cannot be spread', { memoryMiB: 1500 }, 'need more than 1000 MiB on a host'],
      ['wider than the pool', { nodes: 11, cpus: 11 }, 'need more than 10 hosts'],
      ['more CPUs than the pool', { cpus: 81 }, 'need more than 10 hosts'],
    ];
  for (const [title, changes, expected] of cases) {
    test(title, () => {
      const { jobs, leftOut } = fit([job(changes)], { hosts: 10, cpus: 8, memoryMiB: 1000 }, EVERYTHING);
      if (typeof expected === 'string') assert.deepEqual([...leftOut], [[expected, 1]]);
      else
        assert.deepEqual(
          jobs.map((one) => [one.nodes, one.cpus, one.memoryMiB]),
          [expected],
        );
    });
  }
});

test('memory is not looked at when the size of the hosts is not told', () => {
  const { jobs } = fit([job({ memoryMiB: 9999 })], { hosts: 1, cpus: 1, memoryMiB: 0 }, EVERYTHING);
  assert.equal(jobs[0]?.memoryMiB, 0);
});

test('a part of the log: from a time on, so many days, one queue; numbered anew', () => {
  const trace = [0, 1, 2, 3, 4].flatMap((day) =>
    ['cloud', 'long'].map((queue) => job({ id: `${queue}${day}`, submit: day * DAY, queue })),
  );
  const { jobs } = fit(trace, { hosts: 1, cpus: 1, memoryMiB: 0 }, { from: DAY, days: 3, queue: 'long' });
  assert.deepEqual(
    jobs.map(({ id, number }) => [id, number]),
    [
      ['long1', 0],
      ['long2', 1],
      ['long3', 2],
    ],
  );
});

test('a job that ran for less than a second ran for one; a job without a limit has a year', () => {
  const { jobs } = fit([job({ run: 0, limit: null })], { hosts: 1, cpus: 1, memoryMiB: 0 }, EVERYTHING);
  assert.deepEqual([jobs[0]?.run, jobs[0]?.limit], [1000, 365 * DAY]);
});

test('a bucket gives what is in it, fills up with time, and never holds more than its burst', () => {
  const bucket = makeBucket({ burst: 10, perSecond: 2 }, 0);
  assert.deepEqual(
    [bucket.take(4, 0), bucket.take(9, 0), bucket.take(1, 400), bucket.take(5, 2500), bucket.take(99, 1_000_000)],
    [4, 6, 0, 5, 10],
  );
});
