/**
 * joinCluster and leaveCluster: read first (what was true a cycle ago may be a person's decision by now), change, and
 * judge by a second reading; `qmod` ends with 1 for one bad name among good ones.
 *
 * A host is closed by its note first and then by `qmod -d` of all its queue instances, and opened in the other order. So
 * a crash in between leaves an open host with a note, which is put right the next time, and never a closed one without,
 * which would look like a person's. All instances, because its machine goes away under all of them.
 */
import { oneLine } from '../../lib/log.ts';
import type { HostOutcome } from '../batch.ts';
import type { Ask } from '../command.ts';
import { failureOf } from './command.ts';
import { findHosts, type HostRecord, type VoidNotes } from './hosts.ts';
import { LOAD_VALUES } from './node.ts';
import { encodeNote, NOTE, NOTE_LINE, ourNote } from './note.ts';
import { askInstances } from './records.ts';
import { type Gate, gateOf, isKnown, isUnreachable, sayClosed, sayState } from './state.ts';

/** Names in a command are not more than this. */
const AT_ONCE = 100;

export interface ChangeParts {
  readonly ask: Ask;
  readonly voids: VoidNotes;
}

type Verdict = Omit<HostOutcome, 'host'>;
type Records = ReadonlyMap<string, HostRecord>;

const DONE: Verdict = { result: 'done', message: '' };

export async function join(parts: ChangeParts, hosts: readonly string[], signal?: AbortSignal): Promise<HostOutcome[]> {
  return change(
    parts,
    hosts,
    chooseJoin,
    afterJoin,
    async (todo) => {
      const closed = todo.flatMap((record) => names(record, 'ours'));
      const refusal = await send(parts.ask, ['qmod', '-e'], closed, signal);
      const noted = todo.map(({ name }) => name);
      return (await send(parts.ask, ['qconf', '-dattr', 'exechost', 'complex_values', NOTE], noted, signal)) ?? refusal;
    },
    signal,
  );
}

export async function leave(
  parts: ChangeParts,
  hosts: readonly string[],
  reason: string,
  signal?: AbortSignal,
): Promise<HostOutcome[]> {
  return change(
    parts,
    hosts,
    chooseLeave,
    afterLeave,
    async (todo) => {
      const byNote = new Map<string, HostRecord[]>();
      for (const record of todo) {
        // a host of ours with one more queue keeps its note
        if (names(record, 'ours').length > 0) continue;
        const note = encodeNote(ourNote(reason, closedByPerson(record)));
        byNote.set(note, [...(byNote.get(note) ?? []), record]);
      }
      let refusal: string | null = null;
      for (const [note, records] of byNote) {
        const command = ['qconf', '-mattr', 'exechost', 'complex_values', `${NOTE}=${note}`];
        refusal =
          (await send(
            parts.ask,
            command,
            records.map(({ name }) => name),
            signal,
          )) ?? refusal;
      }
      // without its note a closed host would look like a person's, so only those that have it are closed
      const noted =
        refusal === null
          ? null
          : await look(
              parts,
              todo.map(({ host }) => host),
              signal,
            );
      const ready = todo.filter(({ host }) => noted === null || noted.get(host)?.leftOver === true);
      refusal =
        (await send(
          parts.ask,
          ['qmod', '-d'],
          ready.flatMap((record) => names(record, 'open')),
          signal,
        )) ?? refusal;
      for (const { host } of ready) parts.voids.written(host);
      return refusal;
    },
    signal,
  );
}

async function look({ ask, voids }: ChangeParts, hosts: readonly string[], signal?: AbortSignal): Promise<Records> {
  return findHosts(await askInstances(ask, [NOTE, ...LOAD_VALUES], signal), hosts, voids);
}

function chooseJoin(record: HostRecord): Verdict | 'change' {
  const gates = gatesOf(record);
  if (!gates.includes('ours')) {
    if (gates.includes('theirs')) return { result: 'left-alone', message: sayPerson(record) };
    if (isGone(record)) return notYet(record);
    return record.leftOver ? 'change' : DONE;
  }
  return isGone(record) ? notYet(record) : 'change';
}

function afterJoin(record: HostRecord): Verdict {
  const gates = gatesOf(record);
  if (gates.includes('ours')) return { result: 'failed', message: `still ${sayHost(record)} after the change` };
  if (isGone(record)) return notYet(record);
  if (!gates.includes('open')) return { result: 'left-alone', message: sayPerson(record) };
  return DONE;
}

function chooseLeave(record: HostRecord): Verdict | 'change' {
  const gates = gatesOf(record);
  if (gates.includes('open')) return 'change';
  return gates.includes('ours') ? DONE : { result: 'left-alone', message: sayPerson(record) };
}

function afterLeave(record: HostRecord): Verdict {
  const gates = gatesOf(record);
  if (gates.includes('open')) return { result: 'failed', message: `still ${sayHost(record)} after the change` };
  return gates.includes('ours') ? DONE : { result: 'left-alone', message: sayPerson(record) };
}

async function change(
  parts: ChangeParts,
  hosts: readonly string[],
  choose: (record: HostRecord) => Verdict | 'change',
  judge: (record: HostRecord) => Verdict,
  act: (todo: readonly HostRecord[]) => Promise<string | null>,
  signal?: AbortSignal,
): Promise<HostOutcome[]> {
  if (hosts.length === 0) return [];
  const outcomes = new Map<string, Verdict>();
  const todo: HostRecord[] = [];
  const before = await look(parts, hosts, signal);
  for (const host of hosts) {
    const record = before.get(host);
    const choice = cannot(record) ?? (record ? choose(record) : 'change');
    if (choice !== 'change') outcomes.set(host, choice);
    else if (record) todo.push(record);
  }
  if (todo.length > 0) {
    const refusal = await act(todo);
    const after = await look(
      parts,
      todo.map(({ host }) => host),
      signal,
    );
    for (const { host } of todo) {
      const record = after.get(host);
      const verdict = cannot(record) ?? (record ? judge(record) : { result: 'failed' as const, message: '' });
      const why = verdict.result === 'failed' && refusal !== null ? `: ${refusal}` : '';
      outcomes.set(host, { ...verdict, message: oneLine(`${verdict.message}${why}`) });
    }
  }
  return hosts.map((host) => ({ host, ...(outcomes.get(host) ?? { result: 'failed', message: 'no answer' }) }));
}

/** Nothing is changed on a host that is not known or not understood. */
function cannot(record: HostRecord | undefined): Verdict | null {
  if (record === undefined) return { result: 'failed', message: 'Grid Engine has this host in no queue' };
  const strange = record.instances.find(({ state }) => !isKnown(state));
  if (record.broken === null && strange === undefined) return null;
  return { result: 'failed', message: `its state cannot be read: ${record.broken ?? strange?.state}` };
}

function gatesOf({ instances, note }: HostRecord): Gate[] {
  return instances.map((one) => gateOf(one, note));
}

/** `cloud@c1`: its instances with that gate. */
function names({ instances, note }: HostRecord, gate: Gate): string[] {
  return instances.filter((one) => gateOf(one, note) === gate).map(({ queue, host }) => `${queue}@${host}`);
}

function closedByPerson({ instances, note }: HostRecord): string[] {
  return instances.filter((one) => one.state.includes('d') && gateOf(one, note) === 'theirs').map(({ queue }) => queue);
}

function isGone({ instances }: HostRecord): boolean {
  return instances.some(({ state }) => isUnreachable(state));
}

function notYet(record: HostRecord): Verdict {
  return { result: 'not-yet', message: `its sge_execd has not reported (${sayHost(record)})` };
}

function sayPerson(record: HostRecord): string {
  const reason = record.note || record.instances.map(({ state }) => sayClosed(state)).find((one) => one !== '');
  return oneLine(`${sayHost(record)}: ${reason || 'closed by somebody else'}`);
}

function sayHost({ instances }: HostRecord): string {
  return oneLine(instances.map(({ queue, state }) => `${queue} ${sayState(state)}`).join(', '));
}

/**
 * @returns why it was refused (for some of the names, perhaps), or null
 * @throws BatchError for everything but a refusal
 */
async function send(
  ask: Ask,
  command: readonly string[],
  targets: readonly string[],
  signal?: AbortSignal,
): Promise<string | null> {
  let refusal: string | null = null;
  for (let i = 0; i < targets.length; i += AT_ONCE) {
    const failure = failureOf(await ask([...command, ...targets.slice(i, i + AT_ONCE)], signal));
    if (!failure) continue;
    if (failure.kind !== 'refused') throw failure;
    const setUp = /not a complex attribute/.test(failure.message)
      ? ` (qconf -mc, and add the line "${NOTE_LINE}")`
      : '';
    refusal = `${failure.message}${setUp}`;
  }
  return refusal;
}
