/**
 * Creation: the journal first, then one call per cloud, and what its answer means for the host and for further creation.
 */
import type { Cloud, CreateOutcome, Lease } from '../cloud/cloud.ts';
import { CloudError, sayError } from '../domain/errors.ts';
import type { Step } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { randomId } from '../lib/ids.ts';
import { afterAcceptance, afterBatch, afterRefusal } from '../planner/brake.ts';
import { ASK_AGAIN, ASK_AGAIN_AFTER_ERROR, byCloud, CALL_LIMIT, type Hands, recordOf } from './hands.ts';
import { LEASE } from './observe.ts';

/** A machine whose create was never answered shows in the cloud's list within this time; ms. */
const FIRST_MAY_SHOW = 240_000;

/** Returns when everything is in the journal; the clouds answer later. */
export function create(hands: Hands, s: Snapshot, steps: readonly Step[]): void {
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
  const again = new Set(steps.filter((step) => step.to === null).map((step) => step.host ?? ''));
  for (const [cloud, group] of byCloud(hands, leases, (lease) => lease.name)) ask(hands, cloud, group, again);
}

/** @param again hosts whose lease was asked for before, without an answer that says what became of it */
function ask(hands: Hands, cloud: Cloud, leases: readonly Lease[], again: ReadonlySet<string>): void {
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
          else refused(hands, outcome.host, outcome.error, again.has(outcome.host));
        }
        paced(hands, brake, outcomes);
      } catch (error) {
        for (const lease of free) refused(hands, lease.name, error, again.has(lease.name));
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
function refused(hands: Hands, host: string, error: unknown, again: boolean): void {
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
  // A no to the second request says nothing of the first: a machine may be there that the list does not show yet.
  if (again && known.kind !== 'ip-in-use' && at - recordOf(hands, host).since < FIRST_MAY_SHOW) return;
  hands.recorder.move(host, 'cooling', `not created (${known.kind}): ${known.message}`);
  if (known.kind !== 'ip-in-use') return;
  hands.recorder.move(host, 'quarantined', `its address is in use: ${known.message}`, { retryAt: at + 5 * 60_000 });
}
