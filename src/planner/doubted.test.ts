/** What is counted on no longer: nodes whose daemon is silent, and nodes on which a job is never started. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Snapshot } from '../domain/snapshot.ts';
import { plan } from './plan.ts';
import { type HostSketch, job, NOW, snapshot } from './snapshot.fixture.ts';
import { MISSING_GRACE } from './view.ts';

const silent: HostSketch = { state: 'ready', node: { responding: false } };
const whole = () => job({ ask: { exclusive: true } });

function decide(hosts: Readonly<Record<string, HostSketch>>, jobs: Snapshot['jobs'], more: Partial<Snapshot>) {
  const { steps, verdicts } = plan({ ...snapshot(hosts, jobs), ...more });
  return {
    created: steps.filter((step) => step.kind === 'create').map((step) => step.host),
    said: verdicts.at(-1)?.because ?? '',
  };
}

test('a node whose daemon has just fallen silent is likely to come back: nothing replaces it yet', () => {
  const unanswered = new Map([['c1', NOW - MISSING_GRACE + 1]]);
  const { created, said } = decide({ c1: silent, c2: { state: 'free' } }, [whole()], { unanswered });
  assert.deepEqual(created, []);
  assert.equal(said, 'placed on c1 (out of sight)');
});

test('after a minute another one is created, though the batch system does not call it down', () => {
  const unanswered = new Map([['c1', NOW - MISSING_GRACE]]);
  assert.deepEqual(decide({ c1: silent, c2: { state: 'free' } }, [whole()], { unanswered }).created, ['c2']);
});

test('a node on which the job is not started is not counted for it, but for others', () => {
  const hosts = { c1: { state: 'ready' }, c2: { state: 'free' } } as const;
  const [one, two] = [whole(), whole()];
  const refused = new Map([[one.id, new Set(['c1'])]]);
  assert.deepEqual(decide(hosts, [one], { refused }).created, ['c2']);
  assert.deepEqual(decide(hosts, [one, two], { refused }), {
    created: ['c2'],
    said: 'placed on c1: there is room; the batch system decides when it starts',
  });
});

test('where no host is left the job hears why', () => {
  const [ready, cooling] = [{ state: 'ready' }, { state: 'cooling' }] as const;
  const hosts = { c1: ready, c2: ready, c3: cooling, c4: cooling };
  const one = whole();
  const refused = new Map([[one.id, new Set(['c1', 'c2'])]]);
  const { created, said } = decide(hosts, [one], { refused });
  assert.deepEqual(created, []);
  assert.match(said, /^the batch system did not start it on c1 and c2, which were idle; waits for a host: of 4 hosts/);
});

test('also when it names that very host', () => {
  const one = job({ ask: { hosts: ['c1'] } });
  const refused = new Map([[one.id, new Set(['c1'])]]);
  const { created, said } = decide({ c1: { state: 'ready' }, c2: { state: 'free' } }, [one], { refused });
  assert.deepEqual(created, []);
  assert.match(said, /^the batch system did not start it on c1, which was idle/);
});

test('a drained node that is silent just now, as after a restart of the scheduler, is not deleted while jobs wait', () => {
  const hosts = { c1: { state: 'draining', node: { responding: false } } } as const;
  const deleted = (jobs: Snapshot['jobs'], silentFor: number) =>
    plan({ ...snapshot(hosts, jobs), unanswered: new Map([['c1', NOW - silentFor]]) }).steps.some(
      (step) => step.kind === 'delete',
    );
  assert.equal(deleted([whole()], 0), false);
  assert.equal(deleted([whole()], MISSING_GRACE - 1), false);
  assert.equal(deleted([whole()], MISSING_GRACE), true);
  assert.equal(deleted([], 0), true, 'nobody waits');
});
