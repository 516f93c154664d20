/**
 * The JSON that get_status may print instead of counts. Only `id` and `state` of a job and `host` and `state` of a node
 * must be there; everything else has a value that is safe. A key that is not here is a mistake: one letter too few in
 * `hosts` would make a job one that runs nowhere.
 */
import { z } from 'zod';
import { BATCH_ERRORS, type BatchErrorKind } from '../../domain/errors.ts';

const count = z.int().min(0).max(1_000_000_000);
const text = z.string().max(10_000);
const name = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, 'a host name');

export const jobShape = z.strictObject({
  id: z.union([text.min(1), z.int()]).transform(String),
  /** `waiting` or `running`; ended jobs are left out. */
  state: z.enum(['waiting', 'running']),
  /** The batch system's own code, for the tally: `PD`, `R`. */
  code: text.optional(),
  user: text.default(''),
  name: z.union([text, z.number()]).transform(String).default(''),
  reason: text.default(''),
  /** Would one more node let it start? */
  helped: z.enum(['yes', 'no', 'unknown']).default('yes'),
  /** Why not, for people. */
  because: text.default(''),
  array: text.nullable().default(null),
  nodes: count.default(1),
  /** CPUs of the whole job. */
  cpus: count.optional(),
  cpusPerNode: count.optional(),
  /** On each node, MiB. */
  memoryMiB: count.default(0),
  exclusive: z.boolean().default(false),
  /** Array tasks behind this entry that wait. */
  tasks: count.min(1).default(1),
  taskLimit: count.min(1).nullable().default(null),
  /** Higher starts first. */
  priority: z.number().default(0),
  /** Epoch seconds. */
  submittedAt: z.number().nullable().default(null),
  /** Where it runs. */
  hosts: z.array(name).default([]),
});

export const nodeShape = z.strictObject({
  host: name,
  state: z.enum(['idle', 'busy', 'draining', 'drained', 'down', 'unknown', 'absent']),
  /** Who closed it. Without it: ours when the service called leave_cluster, else somebody else's. */
  closed: z.enum(['ours', 'theirs', 'no']).optional(),
  /** Does its daemon answer? Without it: unless it is down, unknown or absent. */
  responding: z.boolean().optional(),
  /** Changes each time its daemon registers anew: a start time, a boot id. */
  registration: z
    .union([text.min(1), z.number()])
    .transform(String)
    .nullable()
    .optional(),
  jobs: z.array(text).default([]),
  inQueue: z.boolean().default(true),
  cpus: count.default(0),
  cpusFree: count.optional(),
  memoryMiB: count.default(0),
  memoryFreeMiB: count.optional(),
  words: text.optional(),
  reason: text.default(''),
});

const KINDS = Object.keys(BATCH_ERRORS) as [BatchErrorKind, ...BatchErrorKind[]];

/** Jobs and nodes are checked one by one afterwards: one bad entry is counted and shown, and does not take the others with it. */
export const answerShape = z.union([
  z.strictObject({ error: z.strictObject({ kind: z.enum(KINDS), message: text.min(1) }) }),
  z.strictObject({ jobs: z.array(z.unknown()), nodes: z.array(z.unknown()).optional() }),
]);

export type ScriptJob = z.infer<typeof jobShape>;
export type ScriptNode = z.infer<typeof nodeShape>;
