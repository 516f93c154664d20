/** Times for people. */
import { span } from '../../domain/words.ts';

/** `3 min ago`, `in 40 s`, `just now`. Both epoch ms. */
export function ago(at: number, now: number): string {
  const passed = now - at;
  if (Math.abs(passed) < 1000) return 'just now';
  return passed > 0 ? `${span(passed)} ago` : `in ${span(-passed)}`;
}

/** For how long already: `3 min`. */
export function since(at: number, now: number): string {
  return span(now - at);
}

/** The same for a table: seconds beyond two minutes only make the column wide. */
export function shortSince(at: number, now: number): string {
  return span(now - at).replace(/ min \d+ s$/, ' min');
}

/** `11-23 14:03:22`, in local time: to be compared with what other logs say. */
export function stamp(at: number): string {
  const time = new Date(at);
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}
