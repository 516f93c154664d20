/**
 * Act: carries out a plan. Each step is written to the journal first, then called; calls to the batch system are made
 * here and now (they are quick and the next look depends on them), calls to the cloud and to nodes run as errands.
 */
import type { Batch, HostOutcome } from '../batch/batch.ts';
import type { Bootstrap } from '../bootstrap/bootstrap.ts';
import type { Cloud, CreateOutcome, Lease } from '../cloud/cloud.ts';
import { CloudError, sayError } from '../domain/errors.ts';
import type { HostRecord } from '../domain/host.ts';
import type { Machine } from '../domain/machine.ts';
import type { Plan, Step, StepKind } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { list, span } from '../domain/words.ts';
import type { Clock } from '../lib/clock.ts';
import { randomId } from '../lib/ids.ts';
import { afterAcceptance, afterBatch, afterRefusal } from '../planner/brake.ts';
import type { Store } from '../store/store.ts';
import type { Clouds } from './clouds.ts';
import type { Errands } from './errands.ts';
import { LEASE } from './observe.ts';
import type { Recorder } from './record.ts';

export interface Hands {
  readonly batch: Batch;
  readonly clouds: Clouds;
  readonly bootstrap: Bootstrap;
  readonly store: Store;
  readonly clock: Clock;
  readonly errands: Errands;
  readonly recorder: Recorder;
  /** When a call for a host may be tried again; written here, read by the planner. */
  readonly retryCallAt: Map<string, number>;
  /** Hosts whose last delete the cloud has accepted; written here, read by the planner. */
  readonly accepted: Set<string>;
}

/** Time limits of calls, ms. The cloud's own programs have their own limits below these. */
const CALL_LIMIT = 300_000;
/** A call that was accepted is asked again after so long when its effect is not seen; after an error sooner. */
const ASK_AGAIN = 30_000;
const ASK_AGAIN_AFTER_ERROR = 10_000;

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

function create(hands: Hands, s: Snapshot, steps: readonly Step[]): void {
  if (steps.length === 0) return;
  const leases = steps.map((step): Lease => {
    const name = step.host ?? '';
    hands.accepted.delete(name);
    const before = recordOf(hands, name);
    const record =
      step.to === null
        ? before
        : hands.recorder.move(name, step.to, step.because, {
            lease: randomId(LEASE),
            machineId: null,
            bornAt: hands.clock.now(),
            registrationBefore: s.nodes.get(name)?.registration ?? null,
          });
    return { name, ip: record.ip, lease: record.lease ?? '' };
  });
  for (const [cloud, group] of byCloud(hands, leases, (lease) => lease.name)) ask(hands, cloud, group);
}

/** One call per cloud: a slow one does not keep the others waiting. */
function byCloud<T>(hands: Hands, all: readonly T[], nameOf: (one: T) => string): Map<Cloud, T[]> {
  const groups = new Map<Cloud, T[]>();
  for (const one of all) {
    const cloud = hands.clouds.of(recordOf(hands, nameOf(one)))?.cloud;
    if (cloud !== undefined) groups.set(cloud, [...(groups.get(cloud) ?? []), one]);
  }
  return groups;
}

function ask(hands: Hands, cloud: Cloud, leases: readonly Lease[]): void {
  const [first] = leases;
  const brake = first === undefined ? '' : hands.clouds.brakeOf(recordOf(hands, first.name));
  hands.errands.start(
    leases.map((lease) => lease.name),
    CALL_LIMIT,
    async (signal) => {
      const answers = await Promise.all(leases.map((lease) => hands.bootstrap.answers(lease, signal)));
      if (signal.aborted) return;
      for (const [index, lease] of leases.entries()) if (answers[index] === true) taken(hands, lease);
      const free = leases.filter((_, index) => answers[index] !== true);
      if (free.length === 0) return;
      await forgetOld(hands, free);
      try {
        const outcomes = await cloud.create(free, signal);
        for (const outcome of outcomes) {
          if (outcome.error === null) accepted(hands, outcome.host, outcome.id);
          else refused(hands, outcome.host, outcome.error);
        }
        paced(hands, brake, outcomes);
      } catch (error) {
        for (const lease of free) refused(hands, lease.name, error);
        if (error instanceof CloudError)
          paced(
            hands,
            brake,
            free.map(() => ({ error })),
          );
      }
    },
  );
}

/** The next machine has another host key than the last one had, also when nobody saw the last one go. */
async function forgetOld(hands: Hands, leases: readonly Lease[]): Promise<void> {
  const fresh = leases.filter(({ name }) => recordOf(hands, name).machineId === null);
  // A key that stays is told when the login refuses it.
  await Promise.allSettled(fresh.map(({ name, ip }) => hands.bootstrap.forget({ name, ip })));
}

/** Something answers on the address although the cloud has no machine there: never a second one beside it. */
function taken(hands: Hands, lease: Lease): void {
  if (recordOf(hands, lease.name).machineId !== null) return;
  hands.recorder.move(lease.name, 'cooling', `something already answers on ${lease.ip}: nothing was created`);
  hands.recorder.move(lease.name, 'quarantined', `${lease.ip} is in use by something that is not in the cloud's list`, {
    retryAt: hands.clock.now() + 5 * 60_000,
  });
}

function accepted(hands: Hands, host: string, id: string | null): void {
  hands.retryCallAt.set(host, hands.clock.now() + ASK_AGAIN);
  if (id !== null) hands.store.touch(host, { machineId: id });
  hands.recorder.brake(hands.clouds.brakeOf(recordOf(hands, host)), afterAcceptance);
}

/** A cloud that throttles is followed at its own rate. */
function paced(hands: Hands, cloud: string, outcomes: readonly Pick<CreateOutcome, 'error'>[]): void {
  const throttled = outcomes.flatMap(({ error }) => (error?.kind === 'throttled' ? sayError(error) : []));
  const accepted = outcomes.filter(({ error }) => error === null).length;
  const asked = outcomes.length;
  const [message = ''] = throttled;
  if (message !== '')
    hands.recorder.complain(
      'warn',
      null,
      `the cloud${cloud === '' ? '' : ` ${cloud}`} throttles the creation of machines: ${message}`,
    );
  const batch = { asked, accepted, throttled: throttled.length, message };
  hands.recorder.brake(cloud, (brake) => afterBatch(brake, batch, hands.clock.now()));
}

/** What a refusal means for this host and for further creation (DESIGN 5). */
function refused(hands: Hands, host: string, error: unknown): void {
  const at = hands.clock.now();
  const known = error instanceof CloudError ? error : new CloudError('ambiguous', sayError(error), { cause: error });
  hands.retryCallAt.set(host, at + ASK_AGAIN_AFTER_ERROR);
  const cloud = hands.clouds.brakeOf(recordOf(hands, host));
  // Told once for all hosts of a call; see paced().
  if (known.kind !== 'throttled') {
    hands.recorder.complain('warn', host, `${host} was not created (${known.kind}): ${sayError(known)}`);
    hands.recorder.brake(cloud, (brake) => afterRefusal(brake, known.kind, sayError(known), at));
  }
  // The lease is kept when it may have been created all the same; the next list tells.
  if (known.kind === 'ambiguous' || known.kind === 'temporary') return;
  hands.recorder.move(host, 'cooling', `not created (${known.kind}): ${known.message}`);
  if (known.kind !== 'ip-in-use') return;
  hands.recorder.move(host, 'quarantined', `its address is in use: ${known.message}`, { retryAt: at + 5 * 60_000 });
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

function remove(hands: Hands, s: Snapshot, steps: readonly Step[]): void {
  const machines: Machine[] = [];
  for (const step of steps) {
    const host = step.host ?? '';
    const seen = s.machines.get(host);
    const before = recordOf(hands, host);
    if (step.to !== null) {
      hands.accepted.delete(host);
      hands.recorder.move(host, step.to, step.because, {
        ...(step.failed ? { failed: true } : {}),
        ...(seen ? { machineId: seen.id } : {}),
      });
    }
    // Not in the list, but we know its id: deleting it by id makes sure that it is gone.
    const unseen = before.machineId === null ? null : idOnly(before, before.machineId);
    const machine = seen ?? unseen;
    if (machine !== null) machines.push(machine);
  }
  for (const [cloud, group] of byCloud(hands, machines, (machine) => machine.host)) takeAway(hands, cloud, group);
}

function takeAway(hands: Hands, cloud: Cloud, machines: readonly Machine[]): void {
  const names = machines.map((machine) => machine.host);
  hands.errands.start(names, CALL_LIMIT, async (signal) => {
    try {
      for (const outcome of await cloud.delete(machines, signal)) deleted(hands, outcome.host, outcome.error);
    } catch (error) {
      for (const name of names) deleted(hands, name, error);
    }
    await Promise.all(machines.map((machine) => hands.bootstrap.forget({ name: machine.host, ip: machine.ip })));
  });
}

function deleted(hands: Hands, host: string, error: unknown): void {
  const at = hands.clock.now();
  hands.retryCallAt.set(host, at + (error === null ? ASK_AGAIN : ASK_AGAIN_AFTER_ERROR));
  if (error === null) hands.accepted.add(host);
  else hands.recorder.complain('warn', host, `${host} could not be deleted yet: ${sayError(error)}`);
}

function idOnly(record: HostRecord, id: string): Machine {
  return { id, host: record.name, ip: record.ip, state: 'unknown', lease: record.lease, since: null, message: '' };
}

function recordOf(hands: Hands, host: string): HostRecord {
  const record = hands.store.host(host);
  if (record === undefined) throw new Error(`no such host: ${host}`);
  return record;
}
