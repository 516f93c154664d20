/**
 * Numbers of nodes that may change with the time of the week: `2`, or `0; Mon-Fri 08:00-18:00 = 4; Sat 10:00-12:00 = 1`.
 * First the number for all other times, then what counts when; where two times overlap, the later one counts.
 */
import { z } from 'zod';

export interface NodeCounts {
  /** At all times that are not named. */
  readonly usual: number;
  readonly at: readonly TimedCount[];
}

export interface TimedCount {
  /** 0 = Sunday ... 6 = Saturday. */
  readonly days: readonly number[];
  /** Minutes of the day. */
  readonly from: number;
  readonly to: number;
  readonly nodes: number;
}

/** The option's schema: it says which part is wrong. */
export const nodeCounts: z.ZodType<NodeCounts, string> = z.string().transform((text, context) => {
  const [first = '', ...rest] = text.split(';').map((part) => part.trim());
  const usual = count(first);
  if (usual === null) {
    const timed = rest.length > 0 || first.includes('=');
    const message = timed ? 'a whole number and then times, as "0; Mon-Fri 08:00-18:00 = 4" is' : 'a whole number';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  }
  const at: TimedCount[] = [];
  for (const part of rest) {
    const timed = readTimed(part);
    if (typeof timed === 'string') {
      context.addIssue({ code: 'custom', message: `readable at "${part}": ${timed}; e.g. "Mon-Fri 08:00-18:00 = 4"` });
      return z.NEVER;
    }
    at.push(timed);
  }
  return { usual, at };
});

/** The largest number of all. */
export function most({ usual, at }: NodeCounts): number {
  return Math.max(usual, ...at.map((one) => one.nodes));
}

const NAMES = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** @returns what is wrong, when something is */
function readTimed(text: string): TimedCount | string {
  const match = /^(\S+)\s+(\S+?)\s*-\s*(\S+?)\s*=\s*(\S+)$/.exec(text);
  if (!match) return 'days, a time and a number are expected';
  const [, dayText = '', fromText = '', toText = '', nodeText = ''] = match;
  const days = readDays(dayText.toLowerCase());
  if (days === null) return `"${dayText}" is no day: Mon, Mon-Fri, Sat,Sun or daily`;
  const from = readTime(fromText);
  const to = readTime(toText);
  if (from === null || from === 1440) return `"${fromText}" is no time from 00:00 to 23:59`;
  if (to === null) return `"${toText}" is no time from 00:00 to 24:00`;
  if (from === to) return `it ends when it begins; a whole day is 00:00-24:00`;
  const nodes = count(nodeText);
  if (nodes === null) return `"${nodeText}" is no whole number`;
  return { days, from, to, nodes };
}

function readDays(text: string): readonly number[] | null {
  if (text === 'daily') return [0, 1, 2, 3, 4, 5, 6];
  const days = new Set<number>();
  for (const piece of text.split(',')) {
    const [from = '', to = from, ...more] = piece.split('-');
    const [first, last] = [NAMES.indexOf(from), NAMES.indexOf(to)];
    if (first < 0 || last < 0 || more.length > 0) return null;
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === last) break;
    }
  }
  return [...days].toSorted();
}

function readTime(text: string): number | null {
  const match = /^(\d{1,2}):(\d{2})$/.exec(text);
  const [hour, minute] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || hour > 24 || minute > 59 || (hour === 24 && minute > 0)) return null;
  return hour * 60 + minute;
}

function count(text: string): number | null {
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}
