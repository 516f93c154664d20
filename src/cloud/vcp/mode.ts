/**
 * Mode: what differs between the two generations. Both look at one Unit Group.
 */
import type { Host } from '../../domain/host.ts';
import type { Machine } from '../../domain/machine.ts';
import type { Lease } from '../cloud.ts';
import type { Made, NodeRecord, Reading } from './answers.ts';
import { nodeState } from './states.ts';

/** A host, and its lease where somebody remembers it. */
export interface Known extends Host {
  readonly lease?: string | null;
}

export interface Request {
  readonly op: string;
  readonly request: Readonly<Record<string, unknown>>;
}

export interface Mode {
  /** For people: `Unit Group hybridcloud`. */
  readonly what: string;
  readonly group: string;
  /** What `check` asks the SDK for; empty where the Unit itself knows. */
  readonly check: Readonly<Record<string, string>>;
  /** The machine's id, known before it is asked for. */
  idOf(lease: Lease): string;
  /** @param more unit names that may exist besides those of the known leases */
  list(more: readonly string[]): Request;
  /** Everything in the group; what is not ours bears its Unit's name as host. */
  machines(reading: Reading): readonly Machine[];
  create(lease: Lease): Promise<Request>;
  /** A create was answered. */
  made(lease: Lease, made: Made): void;
  /** The node that was found there belongs to another life of the host, as far as anybody remembers. */
  isOther(lease: Lease): boolean;
  /** Null: it is not ours to delete. */
  remove(machine: Machine): Request | null;
  /** All of them and the group with them; null where the group is not ours. */
  cleanup(machines: readonly Machine[]): Request | null;
}

/** A node that is not ours: shown, never touched. */
export function foreign(unit: string, node: NodeRecord): Machine {
  const name = unit === '' ? '(a unit nobody named)' : unit;
  return {
    id: `${name}/${node.no ?? node.id}`,
    host: name,
    ip: node.address,
    state: nodeState(node.state),
    lease: null,
    since: null,
    message: `not ours: node ${node.no ?? node.id} of unit ${name}, ${node.state}`,
  };
}
