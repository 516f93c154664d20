/**
 * The port to what we remember of one pool: hosts' records, journal, events and settings. Synchronous, because a move must be on
 * disk before its call goes out, and because a few rows on a local disk need no waiting. One writer: the daemon.
 */
import type { Host, HostRecord } from '../domain/host.ts';
import type { HostState } from '../domain/lifecycle.ts';
import type { CreationBrake, QueueClocks } from '../domain/snapshot.ts';
import type { Spent } from '../domain/usage.ts';

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

/** One machine, from its beginning on. Times are epoch ms. */
export interface Life {
  readonly host: string;
  /** The cloud's id. */
  readonly machine: string;
  readonly cloud: string;
  readonly began: number;
  /** Of an hour, when it was seen first. */
  readonly price: number;
}

export interface Store extends Disposable {
  /**
   * Makes the table fit hosts.json: new hosts begin as `free`; hosts no longer registered go when they are free,
   * cooling or quarantined, and else stay until their machine is gone. An address changed in hosts.json is taken over
   * when the host is free; else the old address stays until then, and so does its cloud. A host that another pool still
   * has a machine for is not taken over: it is registered when asked again later.
   * @returns names of hosts kept although they are no longer registered
   */
  register(hosts: readonly Host[], at: number): readonly string[];

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

  clocks(): QueueClocks;
  setClocks(clocks: QueueClocks): void;
  /** One brake per cloud; without a name it is the only one's. */
  brake(cloud?: string): CreationBrake;
  setBrake(brake: CreationBrake, cloud?: string): void;

  /** Appends; the oldest beyond the retention limit are dropped. */
  event(level: EventLevel, subject: string | null, text: string, at: number): void;
  /** The newest `limit` events (with id greater than `after`), oldest first. */
  events(limit: number, after?: number): readonly StoredEvent[];

  /** These machines exist at this time, and have since they began. Never counts a moment twice. */
  seen(lives: readonly Life[], at: number): void;
  /** What the machines of each cloud have cost from then on, by the cloud's name. */
  spent(from: number): ReadonlyMap<string, Spent>;

  /** Remembers small facts (which job was told what). Null when never set. */
  note(key: string): string | null;
  setNote(key: string, value: string | null): void;
}
