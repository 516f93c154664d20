/**
 * What the site's program prints, checked: its words become ours here and nowhere else. Keys we do not know are
 * allowed, so that a program may print more for its own use.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { CLOUD_ERRORS, CloudError, type CloudErrorKind } from '../../domain/errors.ts';
import type { Machine, MachineState } from '../../domain/machine.ts';

/** @returns the JSON object in the program's output, or null when it is none */
export function readObject(output: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(output);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

/**
 * All machines of a `list` answer, doubles included: whoever calls tells them apart.
 * @throws CloudError `temporary` when any record is broken: a list with a hole would read as "that machine is gone"
 */
export function readMachines(answer: Readonly<Record<string, unknown>>): readonly Machine[] {
  const { machines } = answer;
  if (!Array.isArray(machines)) throw new CloudError('temporary', 'list printed no array "machines"');
  return machines.map((record: unknown, at) => {
    const checked = MachineRecord.safeParse(record);
    if (checked.success) return toMachine(checked.data);
    throw new CloudError('temporary', `list printed a record that cannot be read: ${firstIssue(checked.error, at)}`, {
      facts: { record },
    });
  });
}

/** One readable record of `results`: what it is about, and its id or its error. */
export interface ResultRecord {
  readonly hostname: string | null;
  readonly id: string | null;
  readonly error: CloudError | null;
}

/**
 * The results of a `create` or `delete` answer. A record that cannot be read is left out: its host then counts as not
 * answered for, which is the truth.
 * @throws CloudError `ambiguous` when there are no results at all
 */
export function readResults(verb: string, answer: Readonly<Record<string, unknown>>): readonly ResultRecord[] {
  const { results } = answer;
  if (!Array.isArray(results)) throw new CloudError('ambiguous', `${verb} printed no array "results"`);
  return results.flatMap((record: unknown) => {
    const checked = Result.safeParse(record);
    if (!checked.success) return [];
    const { hostname, id, error } = checked.data;
    return [{ hostname: hostname ?? null, id: id ?? null, error: error == null ? null : readError(error) }];
  });
}

/** An error in the program's words: its kind when it is one of ours, else `temporary`. */
export function readError(error: unknown): CloudError {
  if (typeof error === 'string' && error !== '') return new CloudError('temporary', error);
  const checked = ErrorRecord.safeParse(error);
  if (!checked.success) return new CloudError('temporary', 'the program reports an error without saying which');
  const kind = CLOUD_ERRORS.find((known) => known === checked.data.kind);
  const message = checked.data.message?.trim() || WORDS[kind ?? 'temporary'];
  if (kind !== undefined) return new CloudError(kind, message);
  return new CloudError('temporary', message, { facts: { kind: checked.data.kind } });
}

/** Said when the program gives a kind and no message. */
const WORDS: Readonly<Record<CloudErrorKind, string>> = {
  auth: 'the cloud does not accept our credentials',
  quota: 'the quota is used up',
  capacity: 'the cloud has no free capacity',
  throttled: 'the cloud asks us to slow down',
  'ip-in-use': 'the address is in use',
  config: 'the cloud does not accept our settings',
  ambiguous: 'the cloud cannot tell whether it was done',
  temporary: 'the cloud reports trouble',
};

const ErrorRecord = z.object({ kind: z.unknown(), message: z.string().nullish() });

const text = z.string('is not a text').min(1, 'is empty');

const MachineRecord = z.object({
  id: text,
  hostname: text,
  ip: z.string('is not a text').refine((ip) => isIP(ip) !== 0, 'is not an IP address'),
  state: z.string('is not a text'),
  lease: z.string('is not a text').nullish(),
  since: z
    .string('is not a text')
    .refine((when) => toEpoch(when) !== null, 'is not a time like 2026-11-23T00:00:00Z')
    .nullish(),
  message: z.string('is not a text').nullish(),
});

const Result = z.object({ hostname: text.nullish(), id: text.nullish(), error: z.unknown().optional() });

/** The states the protocol names; every other word is `unknown`, which nobody takes for running or gone. */
const STATES: ReadonlySet<string> = new Set(['starting', 'running', 'stopping', 'failed'] satisfies MachineState[]);

function toMachine(record: z.infer<typeof MachineRecord>): Machine {
  return {
    id: record.id,
    host: record.hostname,
    ip: record.ip,
    state: isState(record.state) ? record.state : 'unknown',
    lease: record.lease || null,
    since: record.since == null ? null : toEpoch(record.since),
    message: record.message ?? '',
  };
}

function isState(word: string): word is MachineState {
  return STATES.has(word);
}

/** ISO 8601 with a time zone, `+0900` as `date +%z` prints it included. Without a zone nobody knows when it was. */
function toEpoch(when: string): number | null {
  const parts = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(?:Z|([+-]\d\d):?(\d\d))$/i.exec(when.trim());
  if (parts === null) return null;
  const zone = parts[3] === undefined ? 'Z' : `${parts[3]}:${parts[4]}`;
  const at = Date.parse(`${parts[1]}T${parts[2]}${zone}`);
  return Number.isNaN(at) ? null : at;
}

/** `machines[2].ip is not an IP address`. */
function firstIssue(error: z.ZodError, at: number): string {
  const issue = error.issues[0];
  const path = (issue?.path ?? []).map((key) => `.${String(key)}`).join('');
  return `machines[${at}]${path} ${issue?.message ?? 'is broken'}`;
}
