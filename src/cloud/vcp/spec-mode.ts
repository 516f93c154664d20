/**
 * Spec mode, the specification's way: a host is one Unit with one VC node, and everything about it is in the Unit's name.
 */
import type { Host } from '../../domain/host.ts';
import type { Machine } from '../../domain/machine.ts';
import type { Lease } from '../cloud.ts';
import type { NodeRecord, UnitRecord } from './answers.ts';
import { foreign, type Known, type Mode, type Request } from './mode.ts';
import { readUnitName, siblingPattern, unitName } from './names.ts';
import type { Target } from './options.ts';
import { stateOf } from './states.ts';

export interface SpecModeParts {
  readonly target: Extract<Target, { mode: 'spec' }>;
  readonly parallel: boolean;
  /** All hosts there are, also those that left hosts.json while they had a machine. */
  readonly hosts: () => readonly Known[];
  /** What goes into every node: our public key, and KEY=VALUE lines for its container. */
  readonly inside: () => Promise<{ readonly sshKey: string; readonly env: readonly string[] }>;
  /** Login user; only `onpremises` takes one. */
  readonly userName: string;
}

/** The specification's: the container's own docker needs a place to store its images. */
const PARAMS_V = ['/var/lib/docker'];

export function specMode(parts: SpecModeParts): Mode {
  const { target, parallel } = parts;
  const { group } = target;

  return {
    what: `Unit Group ${group}`,
    group,
    check: { provider: target.provider, flavor: target.flavor },
    idOf: ({ name, lease }) => unitName(name, lease),

    list: (more) => ({ op: 'list', request: { group, known: [...knownUnits(parts.hosts()), ...more] } }),

    machines: (reading) => reading.units.flatMap((unit) => ofUnit(unit, parts.hosts())),

    async create(lease): Promise<Request> {
      const { sshKey, env } = await parts.inside();
      return {
        op: 'create_unit',
        request: {
          group,
          unit: unitName(lease.name, lease.lease),
          ip: lease.ip,
          hostname: lease.name,
          provider: target.provider,
          flavor: target.flavor,
          image: target.image,
          ssh_key: sshKey,
          params_v: PARAMS_V,
          params_e: env,
          user_name: target.provider === 'onpremises' ? parts.userName : null,
          parallel,
          siblings: siblingPattern(lease.name),
          known: knownUnits(parts.hosts()),
        },
      };
    },
    made: () => {},
    // The unit's name holds the lease: what exists under it is this life's.
    isOther: () => false,

    remove(machine) {
      // The last line of defence: whatever the caller believes, only a Unit with our kind of name is deleted.
      if (readUnitName(machine.id, [machine.host])?.host !== machine.host) return null;
      return { op: 'delete_unit', request: { group, unit: machine.id, ip: machine.ip, parallel } };
    },

    cleanup: (machines) => ({
      op: 'cleanup',
      request: {
        group,
        units: machines.map(({ id }) => id),
        addresses: machines.map(({ ip }) => ip),
        parallel,
      },
    }),
  };
}

function knownUnits(hosts: readonly Known[]): string[] {
  return hosts.flatMap(({ name, lease }) => (lease == null ? [] : [unitName(name, lease)]));
}

function ofUnit(unit: UnitRecord, hosts: readonly Known[]): Machine[] {
  const names = hosts.map(({ name }) => name);
  const ours = readUnitName(unit.name, names);
  if (ours === null) return unit.nodes.map((node) => foreign(unit.name, node));
  const registered = hosts.find(({ name }) => name === ours.host);
  const node = ownNode(unit.nodes, registered);
  const others = unit.nodes.filter((one) => one !== node).map((one) => foreign(unit.name, one));
  return [toMachine(unit, node, { ...ours, ip: registered?.ip ?? node?.address ?? '' }), ...others];
}

/** Somebody may have added nodes to our Unit: ours has the registered address, or is the first. */
function ownNode(nodes: readonly NodeRecord[], host: Host | undefined): NodeRecord | null {
  const byNumber = nodes.toSorted((a, b) => (a.no ?? 0) - (b.no ?? 0));
  return byNumber.find((node) => host !== undefined && node.address === host.ip) ?? byNumber[0] ?? null;
}

function toMachine(unit: UnitRecord, node: NodeRecord | null, life: Pick<Lease, 'ip'> & Life): Machine {
  const elsewhere = node !== null && node.address !== '' && node.address !== life.ip;
  const state = stateOf(unit.state, node?.state ?? null);
  const words = node === null ? `unit ${unit.state}, no node` : node.state;
  const message = elsewhere
    ? `its node has the address ${node.address} instead of ${life.ip}`
    : unit.why || (state === 'running' || state === 'starting' ? '' : words);
  return {
    id: unit.name,
    host: life.host,
    ip: life.ip,
    // With another address it can never join: it goes, and is not left behind as a stranger that costs money.
    state: elsewhere && state !== 'stopping' ? 'failed' : state,
    lease: life.lease,
    since: null,
    message,
  };
}

interface Life {
  readonly host: string;
  readonly lease: string | null;
}
