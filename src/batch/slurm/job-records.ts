/**
 * Asks squeue for jobs and reads its answer. No column positions: between the values stands a separator, behind each
 * record an end mark, both made anew for every call, so that no value can hold them. A job name may contain line
 * breaks, commas, bars or a whole forged record: it stays a name.
 */
import { randomId } from '../../lib/ids.ts';

/** squeue's letter for -o, its name for -O. Text that people choose stands last. */
const FIELDS = {
  shown: ['i', 'jobarrayid'],
  id: ['A', 'jobid'],
  array: ['F', 'arrayjobid'],
  index: ['K', 'arraytaskid'],
  code: ['t', 'statecompact'],
  nodes: ['D', 'numnodes'],
  cpus: ['C', 'numcpus'],
  minCpus: ['c', 'mincpus'],
  minMemory: ['m', 'minmemory'],
  share: ['h', 'oversubscribe'],
  hosts: ['N', 'nodelist'],
  priority: ['Q', 'prioritylong'],
  submitted: ['V', 'submittime'],
  start: ['S', 'starttime'],
  tasks: [null, 'numtasks'],
  cpusPerTask: [null, 'cpus-per-task'],
  tres: [null, 'tres-alloc'],
  partition: ['P', 'partition'],
  user: ['u', 'username'],
  reason: ['r', 'reason'],
  name: ['j', 'name'],
} as const satisfies Record<string, readonly [string | null, string]>;

export type FieldName = keyof typeof FIELDS;

/** The values of one record as printed; what the short format cannot ask for is ''. */
export type JobRecord = Readonly<Record<FieldName, string>>;

export interface JobQuestion {
  readonly command: readonly string[];
  readonly fields: readonly FieldName[];
  readonly separator: string;
  readonly end: string;
}

/**
 * `long`: -O with a text behind each value, in every Slurm from 20.11 on. It alone tells memory per CPU and tasks.
 * `short`: -o, which all releases have.
 *
 * SLURM_BITSTR_LEN=0: the whole index of an array, not its first 64 characters. SLURM_TIME_FORMAT=%s: epoch seconds,
 * whatever the time zone of the machine squeue runs on. `--all`: partitions that are hidden, too.
 */
export function askJobs(queue: string, style: 'long' | 'short'): JobQuestion {
  const separator = randomId('_s');
  const end = randomId('_e');
  const all = Object.keys(FIELDS) as FieldName[];
  const fields = style === 'long' ? all : all.filter((field) => FIELDS[field][0] !== null);
  const tail = (field: FieldName): string => (field === fields.at(-1) ? end : separator);
  const format =
    style === 'long'
      ? `--Format=${fields.map((field) => `${FIELDS[field][1]}:0${tail(field)}`).join(',')}`
      : `--format=${fields.map((field) => `%${FIELDS[field][0]}${tail(field)}`).join('')}`;
  const variables = ['env', 'SLURM_BITSTR_LEN=0', 'SLURM_TIME_FORMAT=%s'];
  return {
    command: [...variables, 'squeue', '--noheader', '--all', `--partition=${queue}`, format],
    fields,
    separator,
    end,
  };
}

const BLANK = Object.fromEntries(Object.keys(FIELDS).map((field) => [field, ''])) as Record<FieldName, string>;

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
  const chunks = stdout.split(`${question.end}\n`);
  const rest = chunks.pop() ?? '';
  for (const chunk of chunks) {
    const values = chunk.split(question.separator);
    if (values.length !== question.fields.length) {
      broken.push(chunk);
      continue;
    }
    const record = { ...BLANK };
    question.fields.forEach((field, i) => {
      record[field] = values[i] ?? '';
    });
    records.push(record);
  }
  return { records, broken, cut: rest.trim() !== '' };
}
