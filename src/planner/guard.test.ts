import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plan } from './plan.ts';
import { BUSY, snapshot } from './snapshot.fixture.ts';

const ABSENT = { state: 'absent', responding: false, hasJob: false, jobs: [], registration: null } as const;
const GONE = { ABSENT, long: { missingSince: 1 } };
const three = (nodes: Record<string, object>) =>
  snapshot({
    c1: { state: 'ready', node: nodes.c1 ?? BUSY, record: nodes.c1 ? GONE.long : {} },
    c2: { state: 'ready', node: nodes.c2 ?? BUSY, record: nodes.c2 ? GONE.long : {} },
    c3: { state: 'draining', node: nodes.c3 ?? {}, record: nodes.c3 ? GONE.long : {} },
  });
const kinds = (s: ReturnType<typeof snapshot>) => plan(s).steps.map((step) => `${step.kind} ${step.host}`);

test('a batch system that suddenly does not know most of our nodes is not believed: jobs may run there', () => {
  for (const nodes of [
    { c1: ABSENT, c2: ABSENT },
    { c1: ABSENT, c3: ABSENT },
    { c1: ABSENT, c2: ABSENT, c3: ABSENT },
  ]) {
    const { steps } = plan(three(nodes));
    assert.deepEqual(
      steps.map((step) => step.kind),
      ['wait'],
    );
    assert.match(
      steps[0]?.because ?? '',
      /the batch system suddenly knows \d of 3 nodes no more .*but their machines run/,
    );
  }
});

test('one of three is believed after its time', () => {
  assert.deepEqual(
    kinds(three({ c1: ABSENT })).filter((one) => one.startsWith('delete')),
    ['delete c1', 'delete c3'],
  );
});

test('nodes that were taken out of hosts.json, too, are brought to their end', () => {
  const s = three({ c1: ABSENT, c2: ABSENT });
  assert.ok(kinds({ ...s, retired: new Set(['c1', 'c2']) }).includes('delete c1'));
});

test('when the cloud has lost the machines as well, both witnesses agree', () => {
  const s = three({ c1: ABSENT, c2: ABSENT });
  const machines = new Map([...s.machines].filter(([host]) => host === 'c3'));
  assert.ok(kinds({ ...s, machines }).includes('delete c1'));
});
