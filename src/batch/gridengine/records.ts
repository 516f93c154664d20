/**
 * Reads `qstat -f -F ... -r -xml -u '*'`: every queue instance with its state and resources, the jobs that run in it, and
 * the jobs that wait, all from one moment. What cannot be read is kept apart and stops nothing else.
 */
import { BatchError } from '../../domain/errors.ts';
import { type Element, readXml, XmlError } from '../../lib/xml.ts';
import type { Ask } from '../command.ts';
import { parseWhole } from './amounts.ts';
import { failureOf } from './command.ts';
import type { Wish } from './queues.ts';

export interface JobRecord {
  readonly number: string;
  /** Array tasks: `3` of a running one, `4-10:1` of waiting ones; '' for an ordinary job. */
  readonly tasks: string;
  readonly state: string;
  readonly waits: boolean;
  readonly priority: number;
  readonly name: string;
  readonly user: string;
  readonly slots: number;
  /** Parallel environment as asked for (may be a pattern) and the slots asked for; null for none. */
  readonly environment: { readonly name: string; readonly slots: string } | null;
  readonly wish: Wish;
  /** -l requests. */
  readonly requests: ReadonlyMap<string, string>;
  /** Jobs it waits for. */
  readonly after: readonly string[];
}

export interface Instance {
  readonly queue: string;
  readonly host: string;
  readonly state: string;
  readonly used: number;
  readonly reserved: number;
  readonly slots: number;
  /** By name; `kind` as printed: `hl` a load value, `hc` what is left of a host's consumable, `hf` a host's fixed value. */
  readonly resources: ReadonlyMap<string, { readonly kind: string; readonly value: string }>;
  readonly jobs: readonly JobRecord[];
  /** Jobs in it that cannot be read. */
  readonly broken: readonly string[];
}

export interface Reading {
  readonly instances: readonly Instance[];
  readonly waiting: readonly JobRecord[];
  /** Instances that cannot be read. */
  readonly brokenInstances: readonly string[];
  readonly brokenJobs: readonly string[];
}

/** @param resources names of the attributes wanted. @throws BatchError */
export async function askAll(ask: Ask, resources: readonly string[], signal?: AbortSignal): Promise<Reading> {
  const result = await ask(['qstat', '-f', '-F', resources.join(','), '-r', '-xml', '-u', '*'], signal);
  const failure = failureOf(result);
  if (failure) throw failure;
  return readAll(result.stdout);
}

/** The instances alone, with the jobs of nobody but ourselves. @throws BatchError */
export async function askInstances(ask: Ask, resources: readonly string[], signal?: AbortSignal): Promise<Reading> {
  const result = await ask(['qstat', '-f', '-F', resources.join(','), '-xml'], signal);
  const failure = failureOf(result);
  if (failure) throw failure;
  return readAll(result.stdout);
}

/** @throws BatchError `garbled` */
export function readDocument(text: string, command: string, root: string): Element {
  try {
    const document = readXml(text);
    if (document.name === root) return document;
    throw new XmlError(`<${document.name}> instead of <${root}>`);
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    throw new BatchError('garbled', `the answer of ${command} cannot be read: ${error.message.slice(0, 200)}`, {
      facts: { characters: text.length, end: text.slice(-200) },
    });
  }
}

/** @throws BatchError `garbled` unless it is one whole document with both of its parts */
export function readAll(text: string): Reading {
  const root = readDocument(text, 'qstat', 'job_info');
  const instances: Instance[] = [];
  const waiting: JobRecord[] = [];
  const brokenInstances: string[] = [];
  const brokenJobs: string[] = [];
  const parts = new Set<string>();
  for (const part of root.children) {
    if ((part.name !== 'queue_info' && part.name !== 'job_info') || parts.has(part.name)) {
      throw new BatchError('garbled', `the answer of qstat has an unexpected part <${part.name}>`);
    }
    parts.add(part.name);
    for (const one of part.children) {
      if (one.name === 'job_list') {
        const job = readJob(one);
        if (typeof job === 'string') brokenJobs.push(job);
        else waiting.push(job);
      } else {
        const instance = one.name === 'Queue-List' ? readInstance(one) : `<${one.name}>`;
        if (typeof instance === 'string') brokenInstances.push(instance);
        else instances.push(instance);
      }
    }
  }
  if (parts.size !== 2) throw new BatchError('garbled', 'the answer of qstat lacks a part');
  return { instances, waiting, brokenInstances, brokenJobs };
}

function readInstance(element: Element): Instance | string {
  const values = new Map<string, string>();
  const resources = new Map<string, { kind: string; value: string }>();
  const jobs: JobRecord[] = [];
  const broken: string[] = [];
  for (const one of element.children) {
    const name = one.attributes.name;
    if (one.name === 'job_list') {
      const job = readJob(one);
      if (typeof job === 'string') broken.push(job);
      else jobs.push(job);
    } else if (one.name === 'resource' && name !== undefined) {
      resources.set(name, { kind: one.attributes.type ?? '', value: one.text });
    } else if (values.has(one.name)) return `two values of ${one.name}`;
    else values.set(one.name, one.text);
  }
  const name = values.get('name') ?? '';
  const at = name.lastIndexOf('@');
  const [used, reserved, slots] = ['slots_used', 'slots_resv', 'slots_total'].map((key) => parseWhole(values.get(key)));
  if (at < 1 || at === name.length - 1) return `name ${JSON.stringify(name.slice(0, 80))}`;
  if (used == null || reserved == null || slots == null) return `${name.slice(0, 80)}: its slots`;
  // an instance that we cannot read in full may be in a state we do not know
  for (const key of values.keys()) if (!KNOWN.has(key)) return `${name.slice(0, 80)}: <${key}>`;
  return {
    queue: name.slice(0, at),
    host: name.slice(at + 1),
    state: (values.get('state') ?? '').trim(),
    used,
    reserved,
    slots,
    resources,
    jobs,
    broken,
  };
}

const KNOWN = new Set([
  ...['name', 'qtype', 'slots_used', 'slots_resv', 'slots_total', 'load_avg', 'np_load_avg', 'arch', 'state'],
  ...['message', 'load-alarm-reason', 'suspend-alarm-reason', 'alarm-reason'],
]);

function readJob(element: Element): JobRecord | string {
  const values = new Map<string, string>();
  const requests = new Map<string, string>();
  const queues: string[] = [];
  const masters: string[] = [];
  const after: string[] = [];
  let environment: JobRecord['environment'] = null;
  for (const one of element.children) {
    const name = one.attributes.name ?? '';
    if (one.name === 'hard_request') requests.set(name, one.text);
    else if (one.name === 'hard_req_queue') queues.push(one.text);
    else if (one.name === 'master_hard_req_queue') masters.push(one.text);
    else if (one.name === 'predecessor_jobs') after.push(one.text);
    else if (one.name === 'requested_pe') environment = { name, slots: one.text };
    else if (!values.has(one.name)) values.set(one.name, one.text);
  }
  const number = values.get('JB_job_number') ?? '';
  const state = values.get('state') ?? '';
  const slots = parseWhole(values.get('slots'));
  const priority = Number(values.get('JAT_prio') ?? 'none');
  if (!/^\d{1,10}$/.test(number)) return `number ${JSON.stringify(number.slice(0, 40))}`;
  if (!/^[A-Za-z]{1,10}$/.test(state)) return `${number}: state ${JSON.stringify(state.slice(0, 40))}`;
  if (slots === null || !Number.isFinite(priority)) return `${number}: slots or priority`;
  const kind = element.attributes.state ?? '';
  if (kind !== 'pending' && kind !== 'running') return `${number}: ${JSON.stringify(kind.slice(0, 40))}`;
  const queueName = requests.get('qname');
  if (queueName !== undefined) queues.push(queueName);
  return {
    number,
    tasks: (values.get('tasks') ?? '').trim(),
    state,
    waits: kind === 'pending',
    priority,
    name: values.get('full_job_name') ?? values.get('JB_name') ?? '',
    user: values.get('JB_owner') ?? '',
    slots,
    environment,
    wish: { queues: queues.length > 0 ? queues : masters, host: requests.get('hostname') ?? '' },
    requests,
    after,
  };
}
