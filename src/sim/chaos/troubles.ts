/**
 * Troubles: everything that can go wrong in a world, one entry each. Each does it and says in a few words what it did;
 * null when there is nothing it could be done to just now.
 */

import type { QueueStatus } from '../../batch/batch.ts';
import type { FakeJobSpec } from '../../batch/fake.ts';
import { CLOUD_ERRORS } from '../../domain/errors.ts';
import type { Machine } from '../../domain/machine.ts';
import type { BatchNode } from '../../domain/node.ts';
import type { World } from '../world.ts';

export interface Scene {
  readonly world: World;
  /** Seconds between two looks. */
  readonly poll: number;
  /** 0 to 1. */
  readonly roll: () => number;
  readonly pick: <T>(of: readonly T[]) => T;
  /** Of a host that is registered now. */
  readonly host: () => string;
  /** Lies of the cloud's list that are still to come, and until when the next must wait so that the truth is told once. */
  readonly lie: { left: number; until: number };
  /** How readings of the queue lie; taken one by one. */
  readonly lies: ((status: QueueStatus) => QueueStatus)[];
  /** How slow readings of the queue are, ms; taken one by one. */
  readonly delays: number[];
  /** The store's writes fail until then (true time), so many of a hundred. */
  readonly disk: { until: number; percent: number; why: string };
  /** The database was lost: what hosts.json leaves out then, nobody knows of but a person. */
  forgot: boolean;
  readonly closedByPerson: Set<string>;
  /** Jobs that want or avoid a host, by id. */
  readonly choosy: Map<string, Pick<FakeJobSpec, 'hosts' | 'avoids'> & { readonly nodes: number }>;
  /** Takes away what only a person would: at the end of the troubles. */
  readonly undo: (() => void)[];
}

export type Trouble = (scene: Scene) => string | null | Promise<string | null>;

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const times = ({ roll }: Scene) => 1 + Math.floor(roll() * 3);

/** The cloud: its calls. */
const cloudCalls: readonly Trouble[] = [
  (s) => {
    const [call, kind, n] = [s.pick(['create', 'delete', 'list'] as const), s.pick(CLOUD_ERRORS), times(s)];
    s.world.cloud.fault(call, { do: 'error', kind }, n);
    return `${call} fails ${n} times: ${kind}`;
  },
  (s) => {
    const [call, n] = [s.pick(['create', 'delete', 'list'] as const), times(s)];
    s.world.cloud.fault(call, { do: 'lost' }, n);
    return `the answer to ${call} is lost ${n} times`;
  },
  (s) => {
    const [call, n] = [s.pick(['create', 'delete', 'list'] as const), times(s)];
    s.world.cloud.fault(call, { do: 'garbled' }, n);
    return `the answer to ${call} is garbled ${n} times`;
  },
  (s) => {
    const kind = s.pick(CLOUD_ERRORS);
    s.world.cloud.fault(s.pick(['create', 'delete'] as const), { do: 'partial', first: 1, kind }, times(s));
    return `only the first of a batch, the others ${kind}`;
  },
  (s) => {
    const after = s.roll() < 0.5;
    s.world.cloud.fault(s.pick(['create', 'delete'] as const), { do: 'hang', after });
    return `a call hangs ${after ? 'after' : 'before'} its work`;
  },
  (s) => {
    const [call, ms] = [s.pick(['create', 'delete', 'list'] as const), Math.ceil(s.roll() * 4 * MINUTE)];
    // A create that outlives its service by minutes makes its machine late: only a cloud that minds addresses stops that.
    const short = call === 'list' || s.world.cloud.options.blind === true;
    s.world.cloud.fault(call, { do: 'slow', ms: short ? Math.ceil(ms / 8) : ms }, times(s));
    return `${call} is slow`;
  },
];

/** The cloud: what it lists. */
const cloudLists: readonly Trouble[] = [
  (s) => {
    const ms = Math.ceil(s.roll() * 90) * SECOND;
    s.world.cloud.fault('list', { do: 'stale', ms }, times(s) * 3);
    return `lists are ${ms / SECOND} s old`;
  },
  (s) => lie(s, 'lacks one', (all, one) => all.filter((machine) => machine !== one)),
  (s) => lie(s, 'names one twice', (all, one) => [...all, one]),
  (s) => lie(s, 'names one twice with two ids', (all, one) => [...all, { ...one, id: `${one.id}-x` }]),
  (s) => lie(s, 'is empty', () => []),
  (s) => lie(s, 'is cut in half', (all) => all.slice(0, Math.floor(all.length / 2))),
  (s) =>
    lie(s, 'has one under another name', (all, one) =>
      all.map((machine) => (machine === one ? { ...machine, host: 'localhost' } : machine)),
    ),
  (s) =>
    lie(s, 'has one in an unknown state', (all, one) =>
      all.map((machine) => (machine === one ? { ...machine, state: 'unknown' as const } : machine)),
    ),
  (s) => lie(s, 'has lost leases and times', (all) => all.map((machine) => ({ ...machine, lease: null, since: null }))),
];

/**
 * Short ones only, 150 s, and the truth in between: a list that lies for longer than the boot limit cannot be told from
 * the truth, and a stranger's machine that no list has shown for so long has gone.
 */
function lie(
  s: Scene,
  what: string,
  tell: (all: readonly Machine[], one: Machine) => readonly Machine[],
): string | null {
  const at = s.roll();
  const n = 1 + Math.floor(s.roll() * Math.min(12, 150 / s.poll));
  if (s.lie.left > 0 || s.world.clock.now() < s.lie.until) return null;
  s.lie.left = n;
  const lying = (all: readonly Machine[]) => {
    s.lie.left--;
    s.lie.until = s.world.clock.now() + 2 * s.poll * SECOND;
    const one = all[Math.floor(at * all.length)];
    return one === undefined ? all : tell(all, one);
  };
  s.world.cloud.fault('list', { do: 'lie', tell: lying }, n);
  return `the list ${what}, ${n} times`;
}

/** Machines. */
const machines: readonly Trouble[] = [
  (s) => {
    const name = s.host();
    s.world.cloud.failNext(name, Math.ceil(s.roll() * 600) * SECOND);
    return `the next machine of ${name} fails`;
  },
  (s) => {
    const name = s.host();
    s.world.cloud.stall(name);
    return `the next machine of ${name} never boots`;
  },
  (s) => {
    const name = s.host();
    const ms = Math.ceil(s.roll() * 20) * MINUTE;
    s.world.cloud.linger(name, ms);
    s.undo.push(() => s.world.cloud.linger(name, 0));
    return `machines of ${name} need ${ms / MINUTE} min to go`;
  },
  (s) => {
    const [one] = s.world.cloud.machines().filter((machine) => machine.lease !== null);
    if (one === undefined || s.roll() < 0.5) return null;
    s.world.cloud.vanish(one.id);
    return `the machine of ${one.host} is gone`;
  },
  (s) => {
    const name = s.host();
    const found = s.world.everyHost.find((host) => host.name === name);
    if (found === undefined) return null;
    const [as, ip] = s.roll() < 0.5 ? ['foreign-1', found.ip] : [name, '192.0.2.7'];
    const id = s.world.cloud.stranger(as, ip);
    s.undo.push(() => s.world.cloud.vanish(id));
    return `a stranger's machine ${as} with ${ip}`;
  },
  (s) => {
    const found = s.pick(s.world.everyHost);
    s.world.cloud.occupy(found.ip);
    s.undo.push(() => s.world.cloud.occupy(found.ip, false));
    return `somebody holds ${found.ip} unseen`;
  },
];

/** Nodes and their daemons. */
const nodes: readonly Trouble[] = [
  (s) => {
    const name = s.host();
    const kind = s.pick(['mount', 'identity', 'refused', 'unreachable'] as const);
    s.world.bootstrap.fail(name, kind, times(s));
    return `preparing ${name} fails: ${kind}`;
  },
  (s) => {
    const name = s.host();
    s.world.bootstrap.hang(name);
    s.undo.push(() => s.world.bootstrap.hang(name, false));
    return `preparing ${name} hangs`;
  },
  (s) => {
    const name = s.host();
    s.world.silence(name, true);
    s.undo.push(() => s.world.silence(name, false));
    return `the daemon of ${name} is not heard`;
  },
  (s) => {
    for (const { name } of s.world.everyHost) s.world.silence(name, false);
    return 'all daemons are heard';
  },
  (s) => {
    const name = s.host();
    if (s.world.cloud.machines().some((machine) => machine.host === name)) return null;
    s.world.batch.nodeUp(name);
    s.undo.push(() => {
      if (!s.world.cloud.machines().some((machine) => machine.host === name && machine.state === 'running'))
        s.world.batch.nodeDown(name);
    });
    return `somebody registers as ${name}, which has no machine`;
  },
];

/** The batch system. */
const batch: readonly Trouble[] = [
  (s) => {
    const kind = s.pick(['silent', 'garbled', 'permission', 'refused'] as const);
    s.world.batch.fail(kind);
    return `the batch system fails: ${kind}`;
  },
  (s) => {
    s.world.batch.fail(null);
    return 'the batch system answers';
  },
  (s) => {
    const ms = Math.ceil(s.roll() * 30) * SECOND;
    for (let i = times(s); i > 0; i--) s.delays.push(ms);
    return `the batch system needs ${ms / SECOND} s to answer`;
  },
  (s) =>
    batchLie(s, 'does not know a node', (status, at) =>
      edit(status, at, {
        state: 'absent',
        closed: 'no',
        hasJob: false,
        jobs: [],
        responding: false,
        registration: null,
        inQueue: false,
      }),
    ),
  (s) =>
    batchLie(s, 'cannot read a node', (status, at) =>
      edit(status, at, { state: 'unknown', closed: 'theirs', hasJob: true }),
    ),
  (s) =>
    batchLie(s, 'leaves a job out', (status, at) => ({
      ...status,
      jobs: status.jobs.filter((_, i) => i !== Math.floor(at * status.jobs.length)),
    })),
  (s) =>
    batchLie(s, 'names every job twice', (status) => ({ ...status, jobs: status.jobs.flatMap((job) => [job, job]) })),
  (s) =>
    batchLie(s, 'names no job and no node', (status) => ({
      ...status,
      jobs: [],
      nodes: status.nodes.map((node) => ({
        ...node,
        state: 'absent' as const,
        closed: 'no' as const,
        hasJob: false,
        jobs: [],
        responding: false,
        registration: null,
        inQueue: false,
      })),
    })),
  (s) => {
    const name = s.host();
    // Nobody opens what the service has closed: a delete may be under way, which no closing and looking again can stop.
    const open = s.closedByPerson.delete(name);
    if (!open) s.closedByPerson.add(name);
    s.world.batch.personDrain(name, open ? null : 'a person looks at it');
    return `a person drains ${name}, or opens it again`;
  },
];

function batchLie(s: Scene, what: string, tell: (status: QueueStatus, at: number) => QueueStatus): string {
  const at = s.roll();
  // Less than a minute: two systems that lie about one node for longer than that cannot be told from the truth.
  for (let i = Math.ceil(s.roll() * Math.min(3, 45 / s.poll)); i > 0; i--) s.lies.push((status) => tell(status, at));
  return `the queue's answer ${what}`;
}

function edit(status: QueueStatus, at: number, change: Partial<BatchNode>): QueueStatus {
  const chosen = Math.floor(at * status.nodes.length);
  return { ...status, nodes: status.nodes.map((node, i) => (i === chosen ? { ...node, ...change } : node)) };
}

/** The service's own machine, and its operators. */
const own: readonly Trouble[] = [
  async (s) => {
    await s.world.restart();
    return 'restart';
  },
  async (s) => {
    // Without memory, before a list that lies, in a cloud that gives one address twice, nobody could know better.
    if (s.world.cloud.options.blind) {
      s.world.cloud.heal();
      s.lie.left = 0;
    }
    await s.world.restart({ forget: true });
    s.forgot = true;
    if (s.world.cloud.options.blind) await s.world.pass(2 * MINUTE);
    return 'the database was damaged: it begins anew';
  },
  async (s) => {
    const ms = Math.ceil(s.roll() * 20) * MINUTE;
    await s.world.standStill(ms);
    return `the process stood still for ${ms / MINUTE} min`;
  },
  (s) => {
    const by = s.pick([-3600, 3600, -30, 30, -7 * 86_400, 86_400]) * SECOND;
    s.world.setClock(by);
    return `the clock is set by ${by / SECOND} s`;
  },
  (s) => {
    Object.assign(s.disk, {
      until: s.world.clock.now() + Math.ceil(s.roll() * 10) * MINUTE,
      percent: s.pick([10, 50, 95]),
      why: s.pick(['database or disk is full', 'attempt to write a readonly database', 'database is locked']),
    });
    return `${s.disk.percent} of 100 writes fail: ${s.disk.why}`;
  },
  async (s) => {
    const { everyHost } = s.world;
    const left = everyHost.filter(() => s.roll() < 0.7);
    const hosts = left.length < 2 ? everyHost.slice(0, 2) : s.roll() < 0.3 ? left.toReversed() : left;
    const changed = hosts.map((host, i) => (s.roll() < 0.1 ? { ...host, ip: `10.9.0.${i + 1}` } : host));
    await s.world.restart({ pool: { hosts: changed, limits: { ...s.world.pool.limits, maxNodes: changed.length } } });
    return `hosts.json is changed: ${changed.map((host) => host.name).join(' ')}`;
  },
  async (s) => {
    const maxNodes = Math.floor(s.roll() * s.world.pool.hosts.length);
    await s.world.restart({ pool: { limits: { ...s.world.pool.limits, maxNodes } } });
    return `MAX_NODES is ${maxNodes}`;
  },
  (s) => {
    const name = s.host();
    s.world.operator((control) => control.drain(name, 'operator'));
    return `an operator drains ${name}`;
  },
  (s) => {
    const name = s.host();
    s.world.operator((control) =>
      s.roll() < 0.5 ? control.hold(name, 'operator') : control.release(name, 'operator'),
    );
    return `an operator holds or releases ${name}`;
  },
  (s) => {
    s.world.operator((control) => control.cleanup('operator'));
    return 'an operator cleans up';
  },
  (s) => {
    s.world.operator((control) => control.release(null, 'operator'));
    return 'an operator releases creation';
  },
];

/** By family, so that no family with many entries crowds out the others. */
export const TROUBLES: readonly (readonly Trouble[])[] = [cloudCalls, cloudLists, machines, nodes, batch, own];
