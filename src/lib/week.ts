/**
 * Times of the week in a time zone: is it now between Monday and Friday, 8 and 18 o'clock in Tokyo? The calendar with its
 * time zones and changes of the clock is croner's; here is only the question.
 */
import { Cron } from 'croner';

/** From `from` to `to`, minutes of the day (1440 = its end); `to` at or before `from` is on the day after. */
export interface TimeOfWeek {
  /** 0 = Sunday ... 6 = Saturday: the days on which it begins. At least one. */
  readonly days: readonly number[];
  readonly from: number;
  readonly to: number;
  /** IANA name; null = that of the machine. */
  readonly zone: string | null;
}

/** @returns a function that tells whether a moment (epoch ms) lies in it */
export function timeOfWeek(time: TimeOfWeek): (at: number) => boolean {
  const over = time.to <= time.from || time.to >= DAY;
  const begins = cron(time.from, time.days, time.zone);
  const ends = cron(
    time.to % DAY,
    time.days.map((day) => (over ? (day + 1) % 7 : day)),
    time.zone,
  );
  // It changes at full minutes only, and is asked for every few seconds.
  let last = { minute: Number.NaN, inside: false };
  return (at) => {
    const minute = Math.floor(at / MINUTE);
    if (minute !== last.minute) last = { minute, inside: inside(new Date(minute * MINUTE)) };
    return last.inside;
  };

  /** Exactly when the next end comes before the next begin; where one ends as the next begins, they are one. */
  function inside(at: Date): boolean {
    const end = ends.nextRun(at);
    const begin = begins.nextRun(at);
    return end !== null && begin !== null && end.getTime() <= begin.getTime();
  }
}

/** Is there such a time zone? */
export function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const MINUTE = 60_000;
const DAY = 24 * 60;

function cron(minute: number, days: readonly number[], zone: string | null): Cron {
  const pattern = `0 ${minute % 60} ${Math.floor(minute / 60)} * * ${days.join(',')}`;
  return new Cron(pattern, { paused: true, ...(zone === null ? {} : { timezone: zone }) });
}
