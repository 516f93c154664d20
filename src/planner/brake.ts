/**
 * The creation brake: what an error of the cloud, or nodes that never come up, do to further creation (DESIGN 5).
 * Pure: the controller stores what comes back.
 */
import type { CloudErrorKind } from '../domain/errors.ts';
import type { CreationBrake } from '../domain/snapshot.ts';

const MINUTE = 60_000;

/** Machines in a row that never became ready before creation pauses. Two can be bad luck; three is a bad image. */
export const BREAKER_AT = 3;

/**
 * First pause and longest, ms; it doubles in between. `quota`, `auth` and `config` do not get better by themselves:
 * the long pause only finds out, with one machine, whether somebody changed something.
 */
const PAUSES: Readonly<
  Record<'auth' | 'quota' | 'config' | 'capacity' | 'throttled' | 'boot', readonly [number, number]>
> = {
  auth: [30 * MINUTE, 30 * MINUTE],
  quota: [30 * MINUTE, 30 * MINUTE],
  config: [30 * MINUTE, 30 * MINUTE],
  capacity: [MINUTE, 30 * MINUTE],
  throttled: [2_000, MINUTE],
  boot: [MINUTE, 30 * MINUTE],
};

export const RELEASED: CreationBrake = { kind: null, message: '', until: null, strikes: 0, bootFailures: 0 };

/** The cloud refused to create. Kinds that concern one host or one call only do not brake. */
export function afterRefusal(brake: CreationBrake, kind: CloudErrorKind, message: string, at: number): CreationBrake {
  if (kind === 'ambiguous' || kind === 'temporary' || kind === 'ip-in-use') return brake;
  // Several hosts of one batch fail with one cause: that is one strike, not many.
  if (brake.kind === kind && brake.until !== null && at < brake.until) return brake;
  const strikes = brake.kind === kind ? brake.strikes + 1 : 1;
  return { ...brake, kind, message, strikes, until: at + pause(kind, strikes) };
}

/** The cloud accepted a machine: what it refused before is over. */
export function afterAcceptance(brake: CreationBrake): CreationBrake {
  if (brake.kind === null || brake.kind === 'boot' || brake.kind === 'throttled') return brake;
  return { ...RELEASED, bootFailures: brake.bootFailures };
}

/** Between two calls to a cloud that takes some machines of each, ms. */
const STEADY = 1_000;

/** What became of one call for machines. */
export interface Batch {
  readonly asked: number;
  readonly accepted: number;
  readonly throttled: number;
  readonly message: string;
}

/**
 * Clouds let us ask for a burst of machines, then for so many per second. Of each call they accept what there is, so
 * the next one asks for a little more than that: never much in vain, and nothing of the rate is left unused.
 */
export function afterBatch(brake: CreationBrake, batch: Batch, at: number): CreationBrake {
  const { asked, accepted, throttled, message } = batch;
  if (brake.kind !== null && brake.kind !== 'throttled') {
    // Being slowed down says nothing about what was wrong before.
    return throttled === 0 ? brake : { ...brake, until: Math.max(brake.until ?? 0, at + pause('throttled', 1)) };
  }
  if (throttled > 0 && accepted === 0)
    return { ...afterRefusal({ ...brake, until: null }, 'throttled', message, at), atMost: 1 };
  if (throttled > 0) {
    const atMost = accepted + Math.ceil(accepted / 2) + 1;
    return { ...brake, kind: 'throttled', message, strikes: 0, until: at + STEADY, atMost };
  }
  if (brake.kind === null || accepted === 0) return brake;
  // All that was wanted, or all that we dared to ask for?
  if (brake.atMost === undefined || asked < brake.atMost) return { ...RELEASED, bootFailures: brake.bootFailures };
  return { ...brake, strikes: 0, until: at, atMost: 2 * brake.atMost };
}

/** A machine was paid for and never became ready. */
export function afterBootFailure(brake: CreationBrake, message: string, at: number): CreationBrake {
  const bootFailures = brake.bootFailures + 1;
  if (bootFailures < BREAKER_AT) return { ...brake, bootFailures };
  if (brake.kind !== null && brake.kind !== 'boot') return { ...brake, bootFailures };
  const strikes = bootFailures - BREAKER_AT + 1;
  return {
    kind: 'boot',
    message: `${bootFailures} machines in a row did not become ready, the last: ${message}`,
    until: at + pause('boot', strikes),
    strikes,
    bootFailures,
  };
}

/** A node became ready: machines work. */
export function afterReady(brake: CreationBrake): CreationBrake {
  return brake.kind === 'boot' ? RELEASED : { ...brake, bootFailures: 0 };
}

/** A machine is gone: room in the quota. */
export function afterGone(brake: CreationBrake): CreationBrake {
  return brake.kind === 'quota' ? { ...RELEASED, bootFailures: brake.bootFailures } : brake;
}

/** How long a host is left alone after so many failed lives in a row, ms: 1, 2, 4 ... 60 minutes. */
export function quarantineFor(failures: number): number {
  return Math.min(60 * MINUTE, MINUTE * 2 ** Math.max(0, failures - QUARANTINE_AT));
}

/** Failed lives in a row before a host is quarantined. */
export const QUARANTINE_AT = 2;

function pause(kind: keyof typeof PAUSES, strikes: number): number {
  const [first, longest] = PAUSES[kind];
  return Math.min(longest, first * 2 ** (strikes - 1));
}
