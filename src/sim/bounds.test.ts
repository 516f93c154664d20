import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bounds } from './bounds.ts';
import type { Shape, SimJob } from './job.ts';

const shape: Shape = { hosts: 4, cpus: 1, memoryMiB: 0 };
const BOOT = 100;

/** `[start, run, nodes]` of each job. */
function least(jobs: readonly (readonly [number, number, number])[], of = shape, cpus = 1) {
  const list = jobs.map(
    ([submit, run, nodes], number): SimJob => ({ id: '', number, submit, run, limit: run, nodes, cpus, memoryMiB: 0 }),
  );
  return bounds(
    list,
    Float64Array.from(list, (job) => job.submit),
    of,
    BOOT,
  );
}

const cases: readonly [string, readonly (readonly [number, number, number])[], { foresight: number; floor: number }][] =
  [
    ['one job: its work and one boot', [[0, 1000, 1]], { foresight: 1100, floor: 1100 }],
    ['a wide job: a boot for each of its hosts', [[0, 1000, 3]], { foresight: 3300, floor: 3300 }],
    [
      'a gap shorter than a boot: the machine stays on',
      [
        [0, 1000, 1],
        [1040, 1000, 1],
      ],
      { foresight: 2000 + 40 + 100, floor: 2100 },
    ],
    [
      'a gap longer than a boot: a new machine, just in time',
      [
        [0, 1000, 1],
        [5000, 1000, 1],
      ],
      { foresight: 2000 + 200, floor: 2100 },
    ],
    [
      'one after the other without a gap: one machine',
      [
        [0, 1000, 1],
        [1000, 1000, 1],
      ],
      { foresight: 2100, floor: 2100 },
    ],
    [
      'side by side: two machines, or one when waiting is free',
      [
        [0, 1000, 1],
        [500, 1000, 1],
      ],
      { foresight: 2200, floor: 2100 },
    ],
    [
      'layers are on their own: the lower one works through while the upper one has a gap',
      [
        [0, 3000, 1],
        [0, 1000, 1],
        [1050, 1000, 1],
      ],
      { foresight: 5000 + 50 + 200, floor: 5100 },
    ],
  ];
for (const [title, jobs, expected] of cases) {
  test(title, () => assert.deepEqual(least(jobs), expected));
}

test('jobs that can share a host need it once', () => {
  const eight: Shape = { hosts: 4, cpus: 8, memoryMiB: 0 };
  assert.deepEqual(
    least(
      [
        [0, 1000, 1],
        [0, 1000, 1],
      ],
      eight,
      4,
    ),
    { foresight: 1100, floor: 1100 },
  );
  assert.deepEqual(
    least(
      [
        [0, 1000, 1],
        [0, 1000, 1],
      ],
      eight,
      5,
    ),
    { foresight: 2200, floor: 1350 },
  );
});
