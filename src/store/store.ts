/**
 * The port to what we remember: hosts' records, journal, events and settings. Synchronous, because a move must be on
 * disk before its call goes out, and because a few rows on a local disk need no waiting. One writer: the daemon.
 */
import type { HostRecord } from '../domain/host.ts';
import type { HostState } from '../domain/lifecycle.ts';
import type { CreationBrake, QueueClocks } from '../domain/snapshot.ts';

export type EventLevel = 'info' | 'warn' | 'error';

export interface StoredEvent {
  /** Grows by one with each event. */
  readonly id: number;
  /** Epoch ms. */
  readonly at: number;
  readonly level: EventLevel;
  /** Host or job it is about, or null. */
  readonly subject: string | null;
  /** One sentence. */
  readonly text: string;
}

/** What changes together with a move. */
export type HostChanges = Partial<
  Pick<
    HostRecord,
    | 'lease'
    | 'machineId'
    | 'registrationBefore'
    | 'bornAt'
    | 'failures'
    | 'retryAt'
    | 'idleSince'
    | 'missingSince'
    | 'drainedBy'
  >
>;

export interface Store extends Disposable {
  /**
   * Makes the table fit hosts.json: new hosts begin as `free`; hosts no longer registered go when they are free,
   * cooling or quarantined, and else stay until their machine is gone. An address changed in hosts.json is taken over
   * when the host is free; else the old address stays until then.
   * @returns names of hosts kept although they are no longer registered
   */
  register(hosts: readonly { name: string; ip: string }[], at: number): readonly string[];

  /** All hosts, in the order of hosts.json, retired ones last. */
  hosts(): readonly HostRecord[];

  /** One of them. */
  host(name: string): HostRecord | undefined;

  /**
   * Moves a host: record and journal in one transaction, on disk when this returns.
   * @throws Error when the lifecycle table does not allow the move: a defect in the caller
   */
  move(host: string, to: HostState, reason: string, at: number, changes?: HostChanges): HostRecord;

  /** Changes fields without a move (clocks, machine id). */
  touch(host: string, changes: HostChanges): void;

  hold(host: string, held: boolean): void;

  /**
   * The wall clock was set: moves every time that a wait or a deadline counts from (hosts, clocks, brake) by so many ms,
   * together, so that all of them go on as before. Journal and events keep the times that were shown then.
   */
  shiftTimes(by: number): void;

  clocks(): QueueClocks;
  setClocks(clocks: QueueClocks): void;
  brake(): CreationBrake;
  setBrake(brake: CreationBrake): void;

  /** Appends; the oldest beyond the retention limit are dropped. */
  event(level: EventLevel, subject: string | null, text: string, at: number): void;
  /** The newest `limit` events (with id greater than `after`), oldest first. */
  events(limit: number, after?: number): readonly StoredEvent[];

  /** Remembers small facts (which job was told what). Null when never set. */
  note(key: string): string | null;
  setNote(key: string, value: string | null): void;
}
