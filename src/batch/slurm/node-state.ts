/**
 * What Slurm's state of a node means. A state is a base word and flags: `IDLE+DRAIN+NOT_RESPONDING` (from 21.08), before
 * that a base word with a sign and flags: `IDLE*+DRAIN`. Releases add and drop flags, so every word is looked up for
 * itself in one table and whole sets are never compared. A word that is not in the table makes the node `unknown`: it
 * could mean anything, and an idle node is one that may be deleted.
 *
 * Seen with slurmctld 22.05.8:
 * - never registered: `UNKNOWN`, some seconds later `UNKNOWN+NOT_RESPONDING`; after a restart of slurmctld
 *   `DOWN+NOT_RESPONDING` with the reason "Not responding"; SlurmdStartTime=None all the while
 * - after a restart of slurmctld also living nodes are `UNKNOWN` with SlurmdStartTime=None until they register again,
 *   a second or two; the start time they then show is the old one
 * - our drain, then silence: `DOWN+DRAIN+NOT_RESPONDING`, and our reason stays. The node registers again:
 *   ReturnToService=2 makes it `IDLE+DRAIN`, 0 and 1 leave it `DOWN+DRAIN`; the new SlurmdStartTime tells in both cases
 * - fewer CPUs or less memory than configured: `IDLE+DRAIN+INVALID_REG`, and every update of the state is refused
 */
import type { BatchNode, Closed, NodeState } from '../../domain/node.ts';
import { MARK } from '../batch.ts';
import { minus, NO_GRES } from './gres.ts';
import type { NodeRecord } from './node-records.ts';

interface Meaning {
  /** A word that can stand first. */
  readonly base?: true;
  readonly job?: true;
  readonly down?: true;
  /** slurmctld gets no answer from its daemon. */
  readonly silent?: true;
  /** Closed for new jobs by State=DRAIN or State=FAIL. */
  readonly drain?: true;
  /** Slurm or an administrator keeps it out of ordinary use without a drain: reservation, reboot, bad registration. */
  readonly aside?: true;
}

const WORDS: Readonly<Record<string, Meaning>> = {
  IDLE: { base: true },
  ALLOCATED: { base: true, job: true },
  ALLOC: { base: true, job: true },
  MIXED: { base: true, job: true },
  MIX: { base: true, job: true },
  COMPLETING: { base: true, job: true },
  COMP: { base: true, job: true },
  DOWN: { base: true, down: true },
  ERROR: { base: true, down: true },
  UNKNOWN: { base: true, down: true, silent: true },
  FUTURE: { base: true, down: true, silent: true },
  DRAIN: { drain: true },
  DRAINED: { base: true, drain: true },
  DRAINING: { base: true, drain: true, job: true },
  FAIL: { drain: true },
  FAILING: { base: true, drain: true },
  NOT_RESPONDING: { silent: true },
  NO_RESPOND: { silent: true },
  POWER: { down: true, silent: true },
  POWER_DOWN: { down: true, silent: true },
  POWERED_DOWN: { base: true, down: true, silent: true },
  POWERING_DOWN: { base: true, down: true, silent: true },
  POWER_UP: { silent: true },
  POWERING_UP: { base: true, silent: true },
  INVALID_REG: { aside: true },
  INVAL: { base: true, aside: true },
  MAINT: { base: true, aside: true },
  MAINTENANCE: { aside: true },
  RESERVED: { base: true, aside: true },
  RESV: { base: true, aside: true },
  REBOOT: { base: true, aside: true },
  REBOOT_REQUESTED: { aside: true },
  REBOOT_ISSUED: { aside: true, silent: true },
  BLOCKED: { base: true, aside: true },
  PLANNED: { base: true },
  PERFCTRS: { base: true },
  CLOUD: {},
  DYNAMIC: {},
  DYNAMIC_NORM: {},
  DYNAMIC_FUTURE: {},
  EXTERNAL: {},
  RES: {},
  RESUME: {},
  UNDRAIN: {},
};

/** The signs of releases before 21.08, behind the base word. */
const SIGNS: Readonly<Record<string, string>> = {
  '*': 'NOT_RESPONDING',
  '~': 'POWERED_DOWN',
  '#': 'POWERING_UP',
  '!': 'POWER_DOWN',
  '%': 'POWERING_DOWN',
  $: 'MAINTENANCE',
  '@': 'REBOOT_REQUESTED',
  '^': 'REBOOT_ISSUED',
  '-': 'PLANNED',
};

/**
 * Reasons slurmctld itself gives when it sets a node DOWN. Any other reason of a DOWN node is a person's
 * (`scontrol update State=DOWN Reason="broken fan"`), who must not be overruled.
 */
const OWN_REASONS =
  /^(none$|Not responding|Node unexpectedly rebooted|Node silently failed and came back|ResumeTimeout reached|batch job complete failure|reboot|Scheduled reboot|Low (CPUs|RealMemory|TmpDisk|socket)|power(ed|ing)? )/i;

/** Is this a reason slurmctld itself gives, not a person? */
export function isOwnReason(reason: string): boolean {
  return reason === '' || OWN_REASONS.test(reason);
}

/** Everything the state says, before any job list is asked. Null: a word that cannot be read. */
function readState(state: string): Required<{ [K in keyof Meaning]: boolean }> | null {
  const words = state.split('+').flatMap((word) => {
    const sign = word.at(-1) ?? '';
    return SIGNS[sign] === undefined ? [word] : [word.slice(0, -1), SIGNS[sign]];
  });
  const meanings = words.map((word) => (Object.hasOwn(WORDS, word) ? WORDS[word] : undefined));
  if (meanings.includes(undefined) || !meanings[0]?.base) return null;
  const any = (key: keyof Meaning): boolean => meanings.some((meaning) => meaning?.[key] === true);
  return {
    base: true,
    job: any('job'),
    down: any('down'),
    silent: any('silent'),
    drain: any('drain'),
    aside: any('aside'),
  };
}

/** @param jobs ids of jobs whose node list names this host; `doubt` = a job that cannot be read may be on it */
export function toNode(record: NodeRecord, queue: string, jobs: readonly string[], doubt: boolean): BatchNode {
  const means = readState(record.state);
  const hasJob = means === null || means.job || record.cpusAllocated > 0 || jobs.length > 0 || doubt;
  const closed = means === null ? closedBy(record.reason) : closedOf(means, record.reason);
  return {
    host: record.host,
    state: means === null ? 'unknown' : stateOf(means, closed, hasJob),
    closed,
    responding: means !== null && !means.silent && record.startTime !== null,
    hasJob,
    jobs,
    registration: record.startTime,
    inQueue: record.partitions.includes(queue),
    cpus: record.cpus,
    cpusFree: Math.max(0, record.cpus - record.cpusAllocated),
    memoryMiB: record.memoryMiB,
    memoryFreeMiB: Math.max(0, record.memoryMiB - record.memoryAllocatedMiB),
    ...gresOf(record, hasJob),
    ...(record.features.length === 0 ? {} : { features: record.features }),
    words: record.state,
    reason: record.reason,
  };
}

/** What is in use and not told counts as all: a machine too many is better than a job on a GPU that is not free. */
function gresOf({ gres, gresUsed }: NodeRecord, hasJob: boolean): Pick<BatchNode, 'gres' | 'gresFree'> {
  if (gres === NO_GRES) return {};
  if (gresUsed === NO_GRES) return { gres, gresFree: gres };
  if (gresUsed === null) return { gres, gresFree: hasJob ? minus(gres, gres) : gres };
  return { gres, gresFree: minus(gres, gresUsed) };
}

/** Slurm refuses to change a node that registered with less than slurm.conf says. */
export function isInvalid(record: NodeRecord): boolean {
  return /\bINVAL(ID_REG)?\b/.test(record.state);
}

function stateOf(means: { down: boolean; silent: boolean }, closed: Closed, hasJob: boolean): NodeState {
  if (means.down || (means.silent && !hasJob)) return 'down';
  if (closed !== 'no') return hasJob ? 'draining' : 'drained';
  return hasJob ? 'busy' : 'idle';
}

function closedOf(means: { drain: boolean; down: boolean; aside: boolean }, reason: string): Closed {
  if (means.drain) return closedBy(reason);
  if (means.aside) return 'theirs';
  const person = means.down && !reason.startsWith(MARK) && !isOwnReason(reason);
  return person ? 'theirs' : 'no';
}

function closedBy(reason: string): Closed {
  return reason.startsWith(MARK) ? 'ours' : 'theirs';
}
