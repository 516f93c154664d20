/**
 * Unit mode, the second generation's way: a host is one node of a Unit that a person made, found by its address. The
 * cloud keeps no lease here; what was asked for is remembered while the service lives, and a node with the registered
 * address is taken for the host's own after a restart.
 */
import type { Machine } from '../../domain/machine.ts';
import type { NodeRecord } from './answers.ts';
import { foreign, type Known, type Mode } from './mode.ts';
import type { Target } from './options.ts';
import { nodeState } from './states.ts';

export interface UnitModeParts {
  readonly target: Extract<Target, { mode: 'unit' }>;
  readonly parallel: boolean;
  readonly hosts: () => readonly Known[];
}

export function unitMode(parts: UnitModeParts): Mode {
  const { target, parallel } = parts;
  const { group, unit } = target;
  /** Nodes we asked for, by node id: while they boot they may have no address. */
  const owners = new Map<string, string>();
  /** Host -> the lease with which its node was made. */
  const leases = new Map<string, string>();

  function toMachine(node: NodeRecord): Machine {
    const ip = node.address === '' ? owners.get(node.id) : node.address;
    const host = parts.hosts().find((one) => one.ip === ip);
    if (host === undefined) return foreign(unit, node);
    const state = nodeState(node.state);
    return {
      id: idOf(host.ip),
      host: host.name,
      ip: host.ip,
      state,
      lease: leases.get(host.name) ?? null,
      since: null,
      message: state === 'running' || state === 'starting' ? '' : node.state,
    };
  }

  const idOf = (ip: string) => `${unit}/${ip}`;

  return {
    what: `unit ${unit} of Unit Group ${group}`,
    group,
    check: {},
    idOf: ({ ip }) => idOf(ip),
    list: () => ({ op: 'list', request: { group, known: [unit] } }),

    machines: (reading) =>
      reading.units.flatMap(({ name, nodes }) =>
        nodes.map((node) => (name === unit ? toMachine(node) : foreign(name, node))),
      ),

    create: async ({ ip }) => ({
      op: 'add_node',
      request: { group, unit, ip, parallel, owned: [...owners.keys()] },
    }),

    made({ name, ip, lease }, made) {
      for (const [node, owner] of owners) if (owner === ip) owners.delete(node);
      if (made.node !== undefined && made.node !== '') owners.set(made.node, ip);
      leases.set(name, lease);
    },
    isOther: ({ name, lease }) => leases.has(name) && leases.get(name) !== lease,

    remove({ ip, id }) {
      if (id !== idOf(ip)) return null;
      const node = [...owners].find(([, owner]) => owner === ip)?.[0] ?? '';
      return { op: 'delete_node', request: { group, unit, ip, node, parallel } };
    },

    // A person made the Unit and the group; they stay.
    cleanup: () => null,
  };
}
