/**
 * The port to a cloud. The comments are the contract, `cloud.contract.ts` proves it, every adapter and the fake run it.
 *
 * Every method may throw CloudError and nothing else. `create` and `delete` return when the request is accepted;
 * progress is seen by `list`.
 */
import type { CloudError } from '../domain/errors.ts';
import type { Host } from '../domain/host.ts';
import type { Machine } from '../domain/machine.ts';

export interface Lease extends Host {
  /** Our id for this life of the host. The same lease twice makes one machine. */
  readonly lease: string;
}

export interface CreateOutcome {
  readonly host: string;
  /** The cloud's id, when it tells at once. */
  readonly id: string | null;
  /** Set when this host was not created. `ambiguous` and `temporary` mean: it may exist all the same. */
  readonly error: CloudError | null;
}

export interface DeleteOutcome {
  readonly host: string;
  readonly error: CloudError | null;
}

/** For `check`: something beside the service's own work that its administrator should know. */
export interface Remark {
  /** It is wrong; else it is only worth knowing. */
  readonly wrong: boolean;
  readonly text: string;
  /** What to do; empty when nothing is. */
  readonly hint: string;
}

export interface Cloud {
  readonly kind: string;

  /** Credentials, program, image... are there. @throws CloudError `config`, `auth`, `temporary`. */
  check(signal?: AbortSignal): Promise<string>;

  /** What `check` tells besides, whether or not the cloud answers: files that do not fit hosts.json. Changes nothing. */
  remarks?(signal?: AbortSignal): Promise<readonly Remark[]>;

  /**
   * All machines of this pool, complete or an error: an empty list means there is none. Foreign machines may be listed
   * too; whoever calls tells them apart by host name and address.
   */
  list(signal?: AbortSignal): Promise<readonly Machine[]>;

  /**
   * Asks for machines, several at once. Idempotent by lease. One outcome per lease; throws only when nothing at all was
   * asked for, or when nobody can tell (`ambiguous`).
   */
  create(leases: readonly Lease[], signal?: AbortSignal): Promise<readonly CreateOutcome[]>;

  /** Takes machines away. Idempotent: already gone is success. One outcome per machine. */
  delete(machines: readonly Machine[], signal?: AbortSignal): Promise<readonly DeleteOutcome[]>;
}
