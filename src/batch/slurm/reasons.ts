/**
 * Why a job waits, in Slurm's words, and whether one more node would help.
 *
 * Complete for every text of `job_reason_string` (slurm_protocol_defs.c, to 22.05) and `job_state_reason_string`
 * (job_state_reason.c, from 23.02 on), from 17.11 to 25.11, names that exist no more included, and for the sentences
 * slurmctld writes itself (`state_desc` in job_scheduler.c, job_mgr.c, backfill.c).
 *
 * Seen with 22.05.8 while all nodes of the partition are drained, down or were never there: at first every job shows
 * "ReqNodeNotAvail, UnavailableNodes:c[1-4]", also jobs that ask for no node by name; after the main scheduler has
 * looked, the first of the queue shows "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher
 * priority partitions". As soon as one node is open the others show "Resources" and "Priority".
 */

export interface ReasonVerdict {
  readonly helped: 'yes' | 'no' | 'unknown';
  /** Sentence for a person: why nodes do not help; empty when they do. */
  readonly because: string;
}

/** One more node would let it start, or at least nothing but nodes is known to be missing. */
const HELPED: readonly string[] = [
  'None', // not looked at yet
  'Resources',
  'Priority', // another job goes first; that one needs the nodes, and then this one
  'NodeDown',
  'ReqNodeNotAvail', // also for jobs that ask for no particular node, when all nodes are drained (seen with 22.05.8)
  'Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions',
  'Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions or in reservations',
  'MpiPortsBusy', // ports are counted per node
];

/** What a job waits for that no node can give. */
const NOT_HELPED: readonly (readonly [because: string, reasons: readonly string[]])[] = [
  [
    'it is held; its owner or an administrator must release it',
    ['JobHeldAdmin', 'JobHeldUser', 'JobHeld', 'JobHoldMaxRequeue', 'ReservationDeleted'],
  ],
  ['it waits for another job', ['Dependency']],
  ['it depends on a job that will never end as asked', ['DependencyNeverSatisfied']],
  ['its begin time has not come', ['BeginTime']],
  ['as many tasks of its array run as its own limit allows', ['JobArrayTaskLimit']],
  ['it waits for licences', ['Licenses']],
  ['it waits for its reservation', ['Reservation']],
  ['its reservation is not valid', ['ReservationInvalid']],
  ['the partition is down or takes no jobs', ['PartitionDown', 'PartitionInactive']],
  [
    "it asks for more than the partition's limits or settings allow",
    ['PartitionNodeLimit', 'PartitionTimeLimit', 'PartitionConfig', 'AccountingPolicy', 'MaxMemPerLimit'],
  ],
  ['no node has what it asks for', ['BadConstraints', 'Constraints']],
  ['its account or QOS is not valid or not allowed', ['InvalidAccount', 'InvalidBankAccount', 'InvalidQOS']],
  ['its account or QOS may not use the partition', ['QOSNotAllowed', 'AccountNotAllowed', 'QOSUsageThreshold']],
  ['its earlier run is still being cleaned up', ['Cleaning', 'Prolog']],
  ['the scheduler puts off jobs that want to start at once', ['SchedDefer']],
  ['a front end node is down', ['FrontEndDown']],
  ['its BlueGene block is not usable', ['BlockMaxError', 'BlockFreeAction']],
  ['it waits for a burst buffer', ['BurstBufferResources', 'BurstBufferStageIn', 'BurstBufferOperation']],
  ["the cluster's power budget is used up", ['PowerNotAvail', 'PowerReserved']],
  ["Slurm's own limit of powered-up nodes is reached", ['MaxPoweredUpNodes']],
  ['another cluster of the federation may start it first', ['FedJobLock']],
  ['its deadline has passed', ['DeadLine']],
  [
    'its last run failed; somebody must release it or look into it',
    [
      ...['SystemFailure', 'JobLaunchFailure', 'NonZeroExitCode', 'RaisedSignal', 'TimeLimit', 'InactiveLimit'],
      'OutOfMemory',
    ],
  ],
  ['a limit of its account or QOS is reached', limits()],
];

/**
 * The accounting limits: their names are made from parts, in every combination below that the source has (and some it
 * does not have: harmless). The irregular ones are written out.
 */
function limits(): string[] {
  const names = ['Limit', 'JobLimit', 'ResourceLimit', 'TimeLimit'].flatMap((what) => [
    `Association${what}`,
    `QOS${what}`,
  ]);
  const things = ['BB', 'Billing', 'Cpu', 'Energy', 'GRES', 'License', 'Mem', 'Memory', 'Node', 'Unknown'];
  for (const who of ['Assoc', 'QOS']) {
    for (const thing of things) {
      for (const tail of ['', 'Limit', 'Minutes', 'RunMinutes']) names.push(`${who}Grp${thing}${tail}`);
      for (const tail of ['PerJob', 'PerNode', 'PerUser', 'MinutesPerJob']) {
        names.push(`${who}Max${thing}${tail}`, `${who}Max${thing}${tail}Limit`);
      }
      names.push(`${who}Min${thing}`);
    }
    for (const one of ['CPUMinutes', 'CPURunMinutes', 'Jobs', 'SubmitJobs', 'Wall']) names.push(`${who}Grp${one}Limit`);
    names.push(`${who}MaxJobsLimit`, `${who}MaxSubmitJobLimit`, `${who}MaxWallDurationPerJobLimit`);
  }
  for (const thing of things) names.push(`Max${thing}PerAccount`, `Max${thing}RunMinsPerAccount`);
  for (const thing of things) names.push(`Max${thing}RunMinsPerUser`);
  names.push('MaxJobsPerAccount', 'MaxSubmitJobsPerAccount');
  names.push('QOSMaxJobsPerUserLimit', 'QOSMaxSubmitJobPerUserLimit', 'QOSMinCpuNotSatisfied');
  return names;
}

/** Sentences of slurmctld's own that have no word of the table in front. */
const SENTENCES: readonly (readonly [RegExp, string])[] = [
  [/requeued held$|requeued in held state|requeued in special exit state/i, 'its last run failed and it is held'],
  [/^burst.?buffer|^Could not find job node/i, 'its burst buffer failed'],
];

const TABLE: ReadonlyMap<string, string> = new Map([
  ...HELPED.map((reason) => [reason, ''] as const),
  ...NOT_HELPED.flatMap(([because, reasons]) => reasons.map((reason) => [reason, because] as const)),
]);

/**
 * @param text the reason as squeue prints it, with or without parentheses, parameters and further reasons behind it
 * @param begin when it may start, epoch ms, or null when Slurm does not say; only looked at for BeginTime
 * @param now epoch ms
 */
export function judgeReason(text: string, begin: number | null, now: number): ReasonVerdict {
  const reason = text.trim().replace(/^\((.*)\)$/s, '$1');
  if (reason === '' || reason === 'null') return { helped: 'yes', because: '' };
  const verdicts = splitMerged(reason).map((one) => judgeOne(one, begin, now));
  return (
    verdicts.find((v) => v.helped === 'yes') ??
    verdicts.find((v) => v.helped === 'unknown') ??
    verdicts[0] ?? { helped: 'unknown', because: '' }
  );
}

function judgeOne(reason: string, begin: number | null, now: number): ReasonVerdict {
  // "Reserved for maintenance": the nodes are there and kept free on purpose, and so would a new one be
  if (/^ReqNodeNotAvail\b.*maintenance/i.test(reason)) {
    return { helped: 'no', because: 'the nodes are reserved for maintenance' };
  }
  // Slurm changes the reason only when it next looks at the job, so the word can be older than the time
  if (/^BeginTime\b/.test(reason) && begin !== null && begin <= now) return { helped: 'yes', because: '' };
  const because = TABLE.get(reason) ?? TABLE.get(/^[A-Za-z]+(?=[\s,:(=])/.exec(reason)?.[0] ?? '');
  if (because !== undefined) return { helped: because === '' ? 'yes' : 'no', because };
  const sentence = SENTENCES.find(([pattern]) => pattern.test(reason));
  return sentence ? { helped: 'no', because: sentence[1] } : { helped: 'unknown', because: '' };
}

/**
 * squeue puts the reasons of the tasks of one array behind each other: `Resources,JobArrayTaskLimit`. Commas also
 * stand in `UnavailableNodes:c1,c2`, so only words of the table are taken off the end.
 */
function splitMerged(reason: string): string[] {
  const found: string[] = [];
  let rest = reason;
  for (;;) {
    const comma = rest.lastIndexOf(',');
    const last = rest.slice(comma + 1);
    if (comma < 0 || TABLE.has(rest) || !TABLE.has(last)) return [rest, ...found];
    found.unshift(last);
    rest = rest.slice(0, comma);
  }
}
