/**
 * The one table from VCP's words for a node's state to ours. `unknown` is never taken for running nor for gone: a node
 * somebody suspended or switched off by hand is his, and only its deadlines count.
 */
import type { MachineState } from '../../domain/machine.ts';

/** The 12 states of the SDK's state diagram, and ERROR, of which the templates speak. */
export const NODE_STATES: Readonly<Record<string, MachineState>> = {
  BOOTING: 'starting',
  RUNNING: 'running',
  SUSPENDING: 'unknown',
  SUSPENDED: 'unknown',
  RESUMING: 'unknown',
  STOPPING: 'unknown',
  STOPPED: 'unknown',
  SHUTTING_DOWN: 'unknown',
  POWER_OFF: 'unknown',
  CONTAINER_ERROR: 'failed',
  HOST_ERROR: 'failed',
  ERROR: 'failed',
  DELETING: 'stopping',
};

/** A Unit without a node: what its own state says about the node to come. RUNNING without a node is nothing we know. */
const UNIT_STATES: Readonly<Record<string, MachineState>> = {
  BOOTING: 'starting',
  ERROR: 'failed',
  DELETING: 'stopping',
};

export function nodeState(word: string): MachineState {
  return Object.hasOwn(NODE_STATES, word) ? (NODE_STATES[word] ?? 'unknown') : 'unknown';
}

/**
 * A node in its Unit, or a Unit without a node (null). A Unit on its way out takes its node along; a failed Unit's node
 * that does not run has failed with it.
 */
export function stateOf(unit: string, node: string | null): MachineState {
  const whole = Object.hasOwn(UNIT_STATES, unit) ? (UNIT_STATES[unit] ?? 'unknown') : 'unknown';
  if (node === null || whole === 'stopping') return whole;
  const own = nodeState(node);
  return whole === 'failed' && own === 'starting' ? 'failed' : own;
}
