/**
 * Act: carries out a plan. Each step is written to the journal first, then called; calls to the batch system are made
 * here and now (they are quick and the next look depends on them), calls to the cloud and to nodes run as errands.
 */
import type { HostOutcome } from '../batch/batch.ts';
import { sayError } from '../domain/errors.ts';
import type { Plan, Step, StepKind } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { list, span } from '../domain/words.ts';
import { randomId } from '../lib/ids.ts';
import { create } from './creation.ts';
import { type Hands, recordOf } from './hands.ts';
import { LEASE } from './observe.ts';
import { remove } from './removal.ts';

export async function act(hands: Hands, s: Snapshot, plan: Plan): Promise<void> {
  const before = new Map(s.hosts.map((host) => [host.name, host.state]));
  // Asked anew before each kind: while a scheduler command ran, an operator may have moved a host.
  const of = (kind: StepKind) =>
    plan.steps.filter((step) => {
      const { host } = step;
      return step.kind === kind && host !== null && hands.store.host(host)?.state === before.get(host);
    });
  for (const step of [...of('settle'), ...of('quarantine')]) settle(hands, s, step);
  await drain(hands, of('drain'));
  await open(hands, [...of('undrain'), ...of('join')]);
  create(hands, s, of('create'));
  for (const step of of('prepare')) prepare(hands, s, step);
  remove(hands, s, of('delete'));
}

function settle(hands: Hands, s: Snapshot, step: Step): void {
  if (step.host !== null && step.to === null && step.until !== undefined)
    hands.store.touch(step.host, { retryAt: step.until });
  if (step.host === null || step.to === null) return;
  const machine = s.machines.get(step.host);
  const record = hands.store.host(step.host);
  // One that is no longer in hosts.json may have been dropped a moment ago, with another that became free.
  if (record === undefined) return;
  const adopted = machine !== undefined && record.lease === null && step.to !== 'free' && step.to !== 'quarantined';
  hands.recorder.move(step.host, step.to, step.because, {
    ...(step.failed ? { failed: true } : {}),
    ...(step.until === undefined ? {} : { retryAt: step.until }),
    ...(adopted ? { lease: machine.lease ?? randomId(LEASE), machineId: machine.id } : {}),
  });
  if (step.to === 'free') hands.store.register(s.pool.hosts, hands.clock.now());
}

/** Closing is grouped by reason: the reason is what a person reads in the batch system. */
async function drain(hands: Hands, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    if (step.to !== null) hands.recorder.move(step.host ?? '', step.to, step.because, { drainedBy: 'rule' });
  }
  for (const [because, group] of Map.groupBy(steps, (step) => step.because)) {
    const hosts = group.map((step) => step.host ?? '');
    try {
      trouble(hands, await hands.batch.leaveCluster(hosts, because), 'could not be closed in the batch system');
    } catch (error) {
      hands.recorder.complain(
        'error',
        null,
        `${list(hosts)} could not be closed in the batch system: ${sayError(error)}`,
      );
    }
  }
}

async function open(hands: Hands, steps: readonly Step[]): Promise<void> {
  if (steps.length === 0) return;
  for (const step of steps) {
    if (step.to !== null) hands.recorder.move(step.host ?? '', step.to, step.because, { drainedBy: null });
  }
  const hosts = steps.map((step) => step.host ?? '');
  try {
    const outcomes = await hands.batch.joinCluster(hosts);
    trouble(hands, outcomes, 'could not be opened in the batch system');
    for (const outcome of outcomes) {
      const record = hands.store.host(outcome.host);
      if (outcome.result !== 'done' || record?.state !== 'joining') continue;
      const took = record.bornAt === null ? '' : ` after ${span(hands.clock.now() - record.bornAt)}`;
      hands.recorder.move(outcome.host, 'ready', `joined${took}: the batch system gives it jobs`);
    }
  } catch (error) {
    hands.recorder.complain(
      'error',
      null,
      `${list(hosts)} could not be opened in the batch system: ${sayError(error)}`,
    );
  }
}

function trouble(hands: Hands, outcomes: readonly HostOutcome[], what: string): void {
  for (const outcome of outcomes) {
    if (outcome.result === 'failed')
      hands.recorder.complain('warn', outcome.host, `${outcome.host} ${what}: ${outcome.message}`);
  }
}

function prepare(hands: Hands, s: Snapshot, step: Step): void {
  const host = step.host ?? '';
  if (step.to !== null) {
    const machine = s.machines.get(host);
    hands.recorder.move(host, step.to, step.because, machine ? { machineId: machine.id } : {});
  }
  const record = recordOf(hands, host);
  hands.errands.start([host], s.pool.timing.prepare, async (signal) => {
    try {
      await hands.bootstrap.prepare(record, signal);
    } catch (error) {
      // The service itself is stopping: the next start prepares again, nothing has failed.
      if (signal.aborted && !timedOut(signal)) return;
      if (recordOf(hands, host).state !== 'preparing') return;
      hands.recorder.move(host, 'stopping', `could not be prepared: ${sayError(error)}`, { failed: true });
      return;
    }
    if (recordOf(hands, host).state === 'preparing') hands.recorder.move(host, 'joining', 'prepared and checked');
  });
}

function timedOut(signal: AbortSignal): boolean {
  return signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError';
}
