/**
 * Why a job of Torque's waits, and whether one more node would help. A job that waits for nodes alone is in state Q.
 * Its comment is pbs_sched's (the texts of constant.h of the FIFO scheduler); Maui and Moab write none.
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
  if (job.code === 'H') return judgeHold(job);
  const state = judgeState(job);
  if (state) return state;
  const text = job.comment.replace(/^Not Running:? ?(- )?/, '').trim();
  // the comment of an earlier start stays on a job that was put back
  if (text !== '' && !/^Job started/.test(text)) return judgeComment(text, COMMENTS);
  return job.eligible
    ? { helped: 'yes', because: '', reason: 'Queued' }
    : no('Queued', 'the server has not made it ready to run');
}

function judgeHold({ holds, depend, comment }: Waiting): Verdict {
  if (/[uo]/.test(holds)) return no(`Hold_Types ${holds}`, HELD);
  if (holds.includes('l')) return no(LIMITED, 'as many tasks of its array run as its own limit allows');
  const other = judgeDepend(depend);
  if (other) return other;
  if (holds.includes('s')) return no('Hold_Types s', 'it is held by the system; an operator must release it');
  return no(comment || 'Held', 'it is held');
}

/** The reason of a task that its array's own limit keeps back. */
export const LIMITED = 'Hold_Types l';

const COMMENTS: Comments = [
  [/^Not enough of the right type of nodes are available/i, ''],
  [/^No available resources on nodes/i, ''],
  [/job allocation request exceeds currently available cluster nodes/i, ''],
  [/^(Load is too high|Not enough nodes)/i, ''],
  [/^Draining system to allow/i, ''],
  [/^PBS Error: Resource temporarily unavailable/i, ''],
  [/^Job Deleted because it would never run/i, 'the scheduler says it can never run'],
  // a request the scheduler does not understand (procs= and -L with pbs_sched): nodes do not change that
  [/^PBS Error: Unknown node/i, 'the scheduler cannot read what it asks for'],
  [/^Queue not started/i, 'the queue is stopped'],
  [/^Queue not an execution queue/i, 'its queue runs no jobs'],
  [/^(User|Group|Queue|Server|The (queue|server)) .*limit/i, 'a limit of running jobs is reached'],
  [/(running|job) limit( has been)? (reached|met)/i, 'a limit of running jobs is reached'],
  [/dedicated time/i, 'dedicated time is coming'],
  [/(non)?-?prime ?time only/i, 'it may not run at this time of the day'],
  [/^(Not enough|Insufficient) .*(queue|server) resource/i, 'a limit of resources in use is reached'],
  [/^Strict ordering/i, ''],
];
