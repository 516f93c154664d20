/**
 * What only `qstat -j` tells of a waiting job: how many tasks of an array may run at one time, that it must not start
 * before some time, and what the scheduler said about it. One command for some of the jobs in a cycle, those never
 * looked at first, so its cost does not grow with the queue.
 */
import type { Clock } from '../../lib/clock.ts';
import { child, children, type Element } from '../../lib/xml.ts';
import type { Ask } from '../command.ts';
import { parseWhole } from './amounts.ts';
import { failureOf } from './command.ts';
import { type JobRecord, readDocument } from './records.ts';

export interface Detail {
  /** Epoch ms; null when it may start at any time. */
  readonly notBefore: number | null;
  /** Epoch ms. */
  readonly submittedAt: number | null;
  readonly taskLimit: number | null;
  /** What the scheduler said of this job in its last round, where it tells (`schedd_job_info`). */
  readonly messages: readonly string[];
}

export interface Details {
  get(number: string): Detail | undefined;
  /** Looks at some of these jobs, which are all that wait. @throws BatchError */
  look(waiting: readonly JobRecord[], signal?: AbortSignal): Promise<void>;
}

/** A job's record is 4 kB and more with the user's environment. */
const AT_ONCE = 100;

export function makeDetails(ask: Ask, clock: Clock): Details {
  const known = new Map<string, { at: number; detail: Detail }>();
  return {
    get: (number) => known.get(number)?.detail,
    async look(waiting, signal) {
      const numbers = new Set(waiting.map(({ number }) => number));
      for (const number of known.keys()) if (!numbers.has(number)) known.delete(number);
      const chosen = choose(waiting, (number) => known.get(number)?.at);
      if (chosen.length === 0) return;
      const result = await ask(['qstat', '-xml', '-j', chosen.join(',')], signal);
      const failure = failureOf(result);
      if (failure) throw failure;
      const details = readDetails(result.stdout);
      for (const number of chosen) {
        const detail = details.get(number);
        // a job that has ended meanwhile is not in the answer; one that cannot be read is asked for again last
        const nothing = { notBefore: null, submittedAt: null, taskLimit: null, messages: [] };
        known.set(number, { at: clock.monotonic(), detail: detail ?? known.get(number)?.detail ?? nothing });
      }
    },
  };
}

/** Held jobs need no look. Never looked at: arrays and those not yet ranked first. Then the longest not looked at. */
function choose(waiting: readonly JobRecord[], lookedAt: (number: string) => number | undefined): string[] {
  const rank = ({ number, tasks, priority }: JobRecord): number =>
    lookedAt(number) ?? (tasks !== '' ? -3 : priority === 0 ? -2 : -1);
  const ranks = new Map<string, number>();
  for (const job of waiting) if (!/[hEd]/.test(job.state) && !ranks.has(job.number)) ranks.set(job.number, rank(job));
  return [...ranks]
    .sort(([, a], [, b]) => a - b)
    .slice(0, AT_ONCE)
    .map(([number]) => number);
}

/** @throws BatchError `garbled` */
export function readDetails(text: string): ReadonlyMap<string, Detail> {
  const found = new Map<string, Detail>();
  // none of the jobs is there any more
  if (/^\s*(<\?xml[^>]*>\s*)?<unknown_jobs[\s>]/.test(text)) return found;
  const root = readDocument(text, 'qstat -j', 'detailed_job_info');
  const messages = messagesByJob(root);
  for (const job of children(child(root, 'djob_info') ?? root, 'element')) {
    const value = (name: string): string => child(job, name)?.text.trim() ?? '';
    const number = value('JB_job_number');
    if (number === '') continue;
    const limit = parseWhole(value('JB_ja_task_concurrency')) ?? 0;
    found.set(number, {
      notBefore: time(value('JB_execution_time')),
      submittedAt: time(value('JB_submission_time')),
      taskLimit: limit > 0 ? limit : null,
      messages: messages.get(number) ?? [],
    });
  }
  return found;
}

function time(seconds: string): number | null {
  return /^[1-9]\d{0,10}$/.test(seconds) ? Number(seconds) * 1000 : null;
}

/** Messages about the job itself, not those about queues, which stand apart and hold for all. */
function messagesByJob(root: Element): ReadonlyMap<string, string[]> {
  const found = new Map<string, string[]>();
  for (const element of children(child(root, 'messages') ?? root, 'element')) {
    for (const one of children(child(element, 'SME_message_list') ?? element, 'element')) {
      const message = child(one, 'MES_message')?.text ?? '';
      for (const number of children(child(one, 'MES_job_number_list') ?? one, 'ulong_sublist')) {
        const job = child(number, 'ULNG_value')?.text ?? '';
        if (message !== '') found.set(job, [...(found.get(job) ?? []), message]);
      }
    }
  }
  return found;
}
