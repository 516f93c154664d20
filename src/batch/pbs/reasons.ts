/**
 * Why a job of PBS waits, and whether one more node would help. The scheduler writes it into the job's comment, with
 * the texts of its error table (sched/misc.c, constant.h), behind "Not Running: " or "Can Never Run: ".
 *
 * "Can Never Run" speaks of the nodes that are defined, and of the sizes known of them: one that was never started
 * may have none. So it is not the last word: sizes are compared by the planner, which knows what the pool can have.
 */
import {
  type Comments,
  HELD,
  judgeComment,
  judgeDepend,
  judgeState,
  no,
  type Verdict,
  type Waiting,
} from '../pbs-family/verdict.ts';

export function judge(job: Waiting): Verdict {
  const { code, holds } = job;
  const state = judgeState(job);
  if (state) return state;
  if (code === 'H' || (holds !== 'n' && holds !== ''))
    return judgeDepend(job.depend) ?? no(`Hold_Types ${holds}`, HELD);
  const text = job.comment.replace(/^(Not Running|Can Never Run): /, '').trim();
  // the comment of an earlier start stays on a job that was put back
  if (text === '' || /^(Job run at|Job Array Began|Subjob run at|Job requeued|Job was|Job released)/.test(text)) {
    return { helped: 'yes', because: '', reason: 'Queued' };
  }
  return judgeComment(text, COMMENTS);
}

const COMMENTS: Comments = [
  [/^Not enough (free|total) nodes available/i, ''],
  [/^Insufficient amount of (queue|server) resource/i, 'a limit of resources in use is reached'],
  // nobody has it: a string that does not match
  [/^Insufficient amount of resource: \S+ \(.* != .*\)/i, 'no node is of the kind it asks for'],
  [/^Insufficient amount of resource/i, ''],
  [/^(No available resources on nodes|Not enough of the right type of nodes)/i, ''],
  [/^Node is in an ineligible state/i, ''],
  [/^Job is requesting an exclusive node and node is in use/i, ''],
  [/^(Draining system to allow|Strict ordering|Higher priority|Starving)/i, ''],
  [/conflict with (reservation|confirmed reservation)|reservation or top job/i, ''],
  [/can.?t fit in the largest placement set|placement set/i, ''],
  [/^Queue not started/i, 'the queue is stopped'],
  [/^Queue not an execution queue/i, 'its queue runs no jobs'],
  [/Number of concurrent running subjobs limit/i, 'as many tasks of its array run as its own limit allows'],
  [
    /per-(user|group|project) limit|limit on resource|overall limit|would exceed/i,
    'a limit of resources in use is reached',
  ],
  [
    /(running|job) limit( has been)? (reached|met)?|has reached .* limit|limit has been reached/i,
    'a limit of running jobs is reached',
  ],
  [/dedicated time/i, 'dedicated time is coming'],
  [/(non-?)?prime ?time/i, 'it may not run at this time of the day'],
  [/licen[cs]e/i, 'it waits for licences'],
  [/reservation is in an invalid state|Reservation/i, 'it waits for its reservation'],
  [/^Job (is )?held|^Hold/i, 'it is held'],
];
