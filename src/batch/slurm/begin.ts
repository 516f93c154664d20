/**
 * Begin times, by the clock and not by the reason: "BeginTime" stands there only after the scheduler has looked, and
 * stays until it looks again.
 *
 * `%S` is the begin time of a job that has one, and for others what backfill believes (a year ahead, when what runs has
 * no time limit; seen with 22.05.8), so alone it says little. The long format has the eligible time besides.
 */
import { parseTime } from './amounts.ts';
import type { JobRecord } from './job-records.ts';

/** In the short format a future start so soon after the submission is no estimate: backfill has not looked yet. ms */
const FRESH = 5_000;

/**
 * @param now epoch ms
 * @returns when the job may start at the earliest, epoch ms, when that is in the future and known; else null
 */
export function notBefore(record: JobRecord, now: number): number | null {
  const eligible = parseTime(record.eligible);
  if (eligible !== null) return eligible > now ? eligible : null;
  const start = parseTime(record.start);
  if (start === null || start <= now) return null;
  if (/\bBeginTime\b/.test(record.reason)) return start;
  const submitted = parseTime(record.submitted);
  const fresh = submitted !== null && now - submitted <= FRESH;
  return record.eligible === '' && fresh && /^\(?(None|ReqNodeNotAvail)\b/.test(record.reason) ? start : null;
}
