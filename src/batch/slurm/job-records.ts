/**
 * Asks squeue for jobs and reads its answer. No column positions: between the values stands a separator, behind each
 * record an end mark, both made anew for every call, so that no value can hold them. A job name may contain line
 * breaks, commas, bars or a whole forged record: it stays a name.
 */
import { randomId } from '../../lib/ids.ts';
import { remember } from './keep.ts';

/** squeue's letter for -o, its name for -O; null = the short format has none. Text that people choose stands last. */
const FIELDS = {
  eligible: [null, 'eligibletime'],
  evaluated: [null, 'lastschedeval'],
  dependency: ['E', 'dependency'],
  shown: ['i', 'jobarrayid'],
  id: ['A', 'jobid'],
  array: ['F', 'arrayjobid'],
  index: ['K', 'arraytaskid'],
  code: ['t', 'statecompact'],
  hosts: ['N', 'nodelist'],
  priority: ['Q', 'prioritylong'],
  submitted: ['V', 'submittime'],
  start: ['S', 'starttime'],
  user: ['u', 'username'],
  reason: ['r', 'reason'],
  name: ['j', 'name'],
} as const satisfies Record<string, Names>;

/**
 * What a job asks for, one value to the outside with a separator of its own inside: thousands of jobs have few different
 * ones, and what is equal is taken apart and understood once. squeue has had these names for -O since
 * about 19.05, when `gres` became `tres-per-node` (src/squeue/opts.c, there and in a release after 23.02).
 */
const REQUEST = {
  nodes: ['D', 'numnodes'],
  cpus: ['C', 'numcpus'],
  minCpus: ['c', 'mincpus'],
  minMemory: ['m', 'minmemory'],
  share: ['h', 'oversubscribe'],
  gresPerNode: ['b', 'tres-per-node'],
  features: ['f', 'feature'],
  timeLimit: ['l', 'timelimit'],
  licenses: ['W', 'licenses'],
  tasks: [null, 'numtasks'],
  cpusPerTask: [null, 'cpus-per-task'],
  tres: [null, 'tres-alloc'],
  gresPerJob: [null, 'tres-per-job'],
  gresPerTask: [null, 'tres-per-task'],
  gresPerSocket: [null, 'tres-per-socket'],
  sockets: [null, 'sockets'],
  cpusPerGres: [null, 'cpus-per-tres'],
  memoryPerGres: [null, 'mem-per-tres'],
  named: ['n', 'reqnodes'],
} as const satisfies Record<string, Names>;

/** Between the values of a request. It may be known: there is nothing in them that Slurm has not checked. */
const INNER = ';;';

type Names = readonly [letter: string | null, name: string];
type FieldName = keyof typeof FIELDS;
type RequestName = keyof typeof REQUEST;

/** The values as printed; what the short format cannot ask for is ''. */
export type Request = Readonly<Record<RequestName, string>>;

/** The values of one record as printed. Records with equal requests share one. */
export type JobRecord = Readonly<Record<FieldName, string>> & { readonly request: Request };

export interface JobQuestion {
  readonly command: readonly string[];
  readonly request: readonly RequestName[];
  /** Values of a record besides its request. */
  readonly fields: number;
  readonly separator: string;
  readonly end: string;
}

/**
 * `long`: -O with a text behind each value, in every Slurm from 20.11 on. It alone tells memory per CPU, tasks, and what
 * is asked for the whole job or for each task (`--gpus`, `--gpus-per-task`).
 * `short`: -o, which all releases have.
 *
 * SLURM_BITSTR_LEN=0: the whole index of an array, not its first 64 characters. SLURM_TIME_FORMAT=%s: epoch seconds,
 * whatever the time zone of the machine squeue runs on. `--all`: partitions that are hidden, too.
 */
export function askJobs(queue: string, style: 'long' | 'short'): JobQuestion {
  const [separator, end] = [randomId('_s'), randomId('_e')];
  const long = style === 'long';
  const request = REQUEST_NAMES.filter((name) => long || REQUEST[name][0] !== null);
  const fields = FIELD_NAMES.filter((name) => long || FIELDS[name][0] !== null);
  const one = ([letter, name]: Names, tail: string): string => (long ? `${name}:0${tail}` : `%${letter}${tail}`);
  const values = [
    ...request.map((name) => one(REQUEST[name], name === request.at(-1) ? separator : INNER)),
    ...fields.map((name) => one(FIELDS[name], name === fields.at(-1) ? end : separator)),
  ];
  const format = long ? `--Format=${values.join(',')}` : `--format=${values.join('')}`;
  const variables = ['env', 'SLURM_BITSTR_LEN=0', 'SLURM_TIME_FORMAT=%s'];
  return {
    command: [...variables, 'squeue', '--noheader', '--all', `--partition=${queue}`, format],
    request,
    fields: fields.length,
    separator,
    end,
  };
}

const FIELD_NAMES = Object.keys(FIELDS) as FieldName[];
const REQUEST_NAMES = Object.keys(REQUEST) as RequestName[];
const BLANK = Object.fromEntries(REQUEST_NAMES.map((name) => [name, ''])) as Request;

export interface JobReading {
  readonly records: readonly JobRecord[];
  /** Texts between two end marks that do not have all fields. */
  readonly broken: readonly string[];
  /** There is text behind the last end mark: the answer was cut, or none of it is squeue's. */
  readonly cut: boolean;
}

export function readJobs(stdout: string, question: JobQuestion): JobReading {
  const records: JobRecord[] = [];
  const broken: string[] = [];
  const requestOf = remember((text: string) => readRequest(text, question));
  let at = 0;
  for (;;) {
    const end = stdout.indexOf(`${question.end}\n`, at);
    if (end < 0) break;
    const chunk = stdout.slice(at, end);
    at = end + question.end.length + 1;
    const asked = chunk.indexOf(question.separator);
    const values = chunk.slice(asked + question.separator.length).split(question.separator);
    const request = asked >= 0 && values.length === question.fields ? requestOf(chunk.slice(0, asked)) : null;
    // the marks apart from the values, so that a host between two of them is still found
    if (request === null) broken.push(chunk.replaceAll(question.separator, ' '));
    else records.push(toRecord(values, request));
  }
  return { records, broken, cut: stdout.slice(at).trim() !== '' };
}

function readRequest(text: string, question: JobQuestion): Request | null {
  const values = text.split(INNER);
  if (values.length !== question.request.length) return null;
  return { ...BLANK, ...Object.fromEntries(question.request.map((name, i) => [name, values[i] ?? ''])) };
}

/** Written out, in the order of FIELDS: a loop over the names takes three times as long. */
function toRecord(values: readonly string[], request: Request): JobRecord {
  // the short format lacks the first ones
  const lack = FIELD_NAMES.length - values.length;
  const at = (i: number): string => values[i - lack] ?? '';
  return {
    request,
    eligible: at(0),
    evaluated: at(1),
    dependency: at(2),
    shown: at(3),
    id: at(4),
    array: at(5),
    index: at(6),
    code: at(7),
    hosts: at(8),
    priority: at(9),
    submitted: at(10),
    start: at(11),
    user: at(12),
    reason: at(13),
    name: at(14),
  };
}
