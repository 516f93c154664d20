/**
 * CLOUD=vcp: nodes through NII's VCP SDK, as the specification has it. The SDK is a Python library in a container; this
 * side keeps the meaning, `helpers/vcp` keeps the SDK.
 */
import { CloudError } from '../../domain/errors.ts';
import type { Machine } from '../../domain/machine.ts';
import type { Policy } from '../../domain/pool.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { OptionValues } from '../../lib/option.ts';
import type { Converse, Run } from '../../lib/run.ts';
import type { Cloud, CreateOutcome, DeleteOutcome, Lease } from '../cloud.ts';
import { readMade, readReading } from './answers.ts';
import { checkVcp } from './check.ts';
import { makeFresh } from './fresh.ts';
import { mdxRefusal } from './mdx.ts';
import type { Known, Request } from './mode.ts';
import { modeOf } from './mode-of.ts';
import { keptHosts, readVcpValues } from './options.ts';
import { asCloudError, byHand, throwWhenNobodyKnows } from './outcomes.ts';
import { vcpRemarks } from './remarks.ts';
import { makeSecrets } from './secrets.ts';
import { startFailure, startOf } from './start.ts';
import { makeTalk } from './talk.ts';
import { NotOurTurn } from './troubles.ts';
import { makeTurns, type Turn } from './turns.ts';

export interface VcpParts {
  readonly run: Run;
  readonly converse: Converse;
  readonly clock: Clock;
  readonly log: Log;
  readonly pool: {
    readonly name: string;
    readonly policy: Policy;
    readonly hosts: readonly { readonly name: string; readonly ip: string }[];
  };
  /** The folder of the env file, where vcp_config.yml and vcp_flavor.yml are. */
  readonly configDir: string;
  /** All hosts with their leases, also those that left hosts.json; default: those of the pool. */
  readonly hosts?: () => readonly Known[];
  /** One line for the nodes' authorized_keys. */
  readonly publicKey: () => Promise<string>;
}

/** The SDK's process ends with ours; closing it first only makes that orderly. */
export type VcpCloud = Cloud & AsyncDisposable;

/** @param values the options of `options.ts` */
export function makeVcpCloud(given: OptionValues, parts: VcpParts): VcpCloud {
  const values = readVcpValues(given);
  const { clock, log, pool } = parts;
  const kept = keptHosts(given, pool.hosts);
  const secrets = makeSecrets([values.VCP_ACCESSKEY]);
  const start = startOf(values, parts.configDir);
  const { configDir, publicKey, hosts = () => pool.hosts } = parts;
  const mode = modeOf(values, { hosts, configDir, publicKey, secrets });
  const turns = makeTurns();
  const fresh = makeFresh();
  const talk = makeTalk({
    converse: parts.converse,
    clock,
    log,
    command: start.command,
    open: { token: values.VCP_ACCESSKEY, config_dir: start.configDir },
    limit: values.VCP_TIMEOUT,
    clean: secrets.clean,
    startFailure: (result) => startFailure(result, values),
  });
  /** Machine id -> when its create was accepted, or it was first seen to boot, epoch ms: VCP does not tell its age. */
  const acceptedAt = new Map<string, number>();
  /** Changes of the group go one after another, and each has its whole time limit. */
  let lastChange: Promise<unknown> = Promise.resolve();
  let pumping = false;

  function change(signal: AbortSignal | undefined, make: () => Promise<Request>): Promise<unknown> {
    const mine = lastChange.then(async () => {
      if (signal?.aborted) throw new CloudError('temporary', 'was not asked: we were told to stop');
      const { op, request } = await make();
      return talk.ask(op, request, { change: true, signal });
    });
    lastChange = mine.catch(() => {});
    return mine;
  }

  async function list(signal?: AbortSignal): Promise<readonly Machine[]> {
    const began = clock.monotonic();
    const { op, request } = mode.list([...acceptedAt.keys()]);
    const reading = readReading(await talk.ask(op, request, { change: false, signal }));
    const machines = fresh.onto(mode.machines(reading), began);
    const registered = new Set(hosts().map(({ name }) => name));
    for (const { id, host, state } of machines) {
      // Asked for by a service before us: it may have waited long for its turn, so its boot counts from here.
      if (state === 'starting' && registered.has(host) && !acceptedAt.has(id)) acceptedAt.set(id, clock.now());
    }
    const listed = turns
      .onto(machines, clock.now())
      .map((machine) => ({ ...machine, since: machine.since ?? acceptedAt.get(machine.id) ?? null }));
    if (reading.group === null || !BUSY.has(reading.group.state)) void pump();
    return listed;
  }

  /** Asks for one machine. @throws CloudError, NotOurTurn */
  async function createOne(lease: Lease, signal: AbortSignal | undefined): Promise<void> {
    const made = readMade(await change(signal, () => mode.create(lease)));
    if (!made.made && mode.isOther(lease)) {
      throw new CloudError('ip-in-use', `${lease.ip}: the node of an earlier life of ${lease.name} is still there`);
    }
    mode.made(lease, made);
    fresh.made(mode.idOf(lease), lease, clock.monotonic());
    if (made.made || !acceptedAt.has(mode.idOf(lease))) acceptedAt.set(mode.idOf(lease), clock.now());
  }

  async function createOrWait(lease: Lease, signal: AbortSignal | undefined): Promise<CreateOutcome> {
    const { name } = lease;
    const id = mode.idOf(lease);
    if (kept.has(name)) return { host: name, id: null, error: byHand(lease) };
    try {
      // Behind those that already wait: the first to ask is the first to come.
      if (turns.size === 0) await createOne(lease, signal);
      else turns.wait({ kind: 'create', id, lease });
    } catch (error) {
      if (!(error instanceof NotOurTurn)) return { host: name, id: null, error: asCloudError(error) };
      log.debug(`vcp: ${name} waits for its turn: ${error.message}`);
      turns.wait({ kind: 'create', id, lease });
    }
    return { host: name, id, error: null };
  }

  /** Asks for one deletion. @throws CloudError, NotOurTurn */
  async function deleteOne(machine: Machine, signal: AbortSignal | undefined): Promise<void> {
    const request = mode.remove(machine);
    if (request === null) {
      // Not a machine of ours; that is no trouble as long as there is none.
      if ((await list(signal)).every(({ id }) => id !== machine.id)) return;
      throw new CloudError('config', `${machine.id} was not made by this service and is not deleted`);
    }
    await change(signal, async () => request);
    acceptedAt.delete(machine.id);
    fresh.forget(machine.id);
  }

  async function deleteOrWait(machine: Machine, signal: AbortSignal | undefined): Promise<DeleteOutcome> {
    const { host, id } = machine;
    if (kept.has(host)) return { host, error: byHand({ name: host }) };
    // What only waits to be created is forgotten; it is asked for all the same, in case it was made meanwhile.
    turns.drop('create', id);
    try {
      await deleteOne(machine, signal);
    } catch (error) {
      if (!(error instanceof NotOurTurn)) return { host, error: asCloudError(error) };
      turns.wait({ kind: 'delete', id, machine });
    }
    return { host, error: null };
  }

  /** The group is free: those who wait are asked, in order, until the controller is busy again. */
  async function pump(): Promise<void> {
    if (pumping) return;
    pumping = true;
    try {
      for (let turn = turns.first(); turn !== undefined; turn = turns.first()) {
        if (!(await takeTurn(turn))) return;
        turns.drop(turn.kind, turn.id);
      }
    } finally {
      pumping = false;
    }
  }

  /** @returns false: the rest waits for the next free moment */
  async function takeTurn(turn: Turn): Promise<boolean> {
    try {
      if (turn.kind === 'create') await createOne(turn.lease, undefined);
      else await deleteOne(turn.machine, undefined);
      return true;
    } catch (error) {
      if (error instanceof NotOurTurn) return false;
      const { kind, message } = asCloudError(error);
      const host = turn.kind === 'create' ? turn.lease.name : turn.machine.host;
      // Nobody refused it: it keeps a turn. Where it was carried out all the same, asking again finds that.
      const kept = MAY_STILL_COME.has(kind) && turns.postpone(turn);
      log.warn(`vcp: ${host}: ${message}${kept ? '; asked again' : ''}`);
      // What is given up is no longer listed, so it is asked for by whoever wants it, and he hears the error himself.
      return !kept;
    }
  }

  /** POLICY=classic, as in the specification: everything at once, but only when everything is ours. */
  async function cleanedUp(machines: readonly Machine[], signal: AbortSignal | undefined): Promise<boolean> {
    if (pool.policy !== 'classic' || turns.size > 0 || machines.some(({ host }) => kept.has(host))) return false;
    const request = mode.cleanup(machines);
    if (request === null || machines.some((machine) => mode.remove(machine) === null)) return false;
    try {
      await change(signal, async () => request);
      return true;
    } catch (error) {
      const known = asCloudError(error);
      // Something foreign is in the group, or it is not our turn: one by one, then.
      if (known.kind === 'config' || known instanceof NotOurTurn) return false;
      throw known;
    }
  }

  return {
    kind: 'vcp',
    list,

    async check(signal) {
      return checkVcp({ values, mode, talk, list, parts, signal });
    },

    remarks: () => vcpRemarks(given, { hosts: pool.hosts, configDir }),

    async create(leases, signal) {
      if (leases.length === 0) return [];
      if (signal?.aborted) throw new CloudError('temporary', 'create was not asked: we were told to stop');
      // Without its machine a node of this kind can only fail.
      const refusal = mdxRefusal(values.MDX_API_TOKEN);
      if (refusal !== null) throw refusal;
      const outcomes = await Promise.all(leases.map((lease) => createOrWait(lease, signal)));
      throwWhenNobodyKnows(outcomes, signal);
      return outcomes;
    },

    async delete(machines, signal) {
      if (machines.length === 0) return [];
      if (signal?.aborted) throw new CloudError('temporary', 'delete was not asked: we were told to stop');
      if (await cleanedUp(machines, signal)) return machines.map(({ host }) => ({ host, error: null }));
      const outcomes = await Promise.all(machines.map((machine) => deleteOrWait(machine, signal)));
      throwWhenNobodyKnows(outcomes, signal);
      return outcomes;
    },

    [Symbol.asyncDispose]: () => talk.close(),
  };
}

/** What ends no wait for a turn: a controller that restarts, an answer that was lost. */
const MAY_STILL_COME: ReadonlySet<string> = new Set(['temporary', 'ambiguous', 'throttled']);

/** While the group is in one of these states a controller may refuse changes. */
const BUSY: ReadonlySet<string> = new Set(['APPLYING', 'DELETING']);
