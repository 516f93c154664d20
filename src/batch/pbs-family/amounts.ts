/**
 * Small values as Torque and PBS print them.
 */

const UNITS: Readonly<Record<string, number>> = { '': 0, k: 10, m: 20, g: 30, t: 40, p: 50 };

/**
 * A size in MiB, rounded up: `2gb`, `500mb`, `24684092kb`, `100b`, `1024`. A `w` counts words of 8 bytes.
 * @returns null when it is none
 */
export function parseMiB(text: string): number | null {
  const match = /^(\d{1,18})([kmgtp]?)([bw]?)$/i.exec(text.trim());
  if (!match) return null;
  const bytes = Number(match[1]) * 2 ** (UNITS[(match[2] ?? '').toLowerCase()] ?? 0);
  return Math.ceil(((match[3] ?? '').toLowerCase() === 'w' ? bytes * 8 : bytes) / 2 ** 20);
}

/** As parseMiB, but rounded down: what a node has is not made larger than it is. */
export function floorMiB(text: string): number | null {
  const kib = /^(\d{1,15})kb$/i.exec(text.trim())?.[1];
  return kib === undefined ? parseMiB(text) : Math.floor(Number(kib) / 1024);
}

/** A whole number that is not negative, or null. */
export function parseCount(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,9}$/.test(text.trim()) ? Number(text) : null;
}

/** A time limit in ms: `02:00:00`, `1:02:00:00` (days first), `3600` (seconds); null = none, or no limit. */
export function parseSpan(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,9}(:\d{1,2}){0,3}$/.test(text)) return null;
  const units = [1, 60, 3600, 86_400];
  const parts = text.split(':').reverse();
  return parts.reduce((sum, part, i) => sum + Number(part) * (units[i] ?? 0), 0) * 1000;
}

/** Epoch ms of `1795439508` (epoch seconds) or `Mon Nov 23 13:06:09 2026` (local time of the server); null = none. */
export function parseTime(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1000;
  const match = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d{1,2}) (\d\d:\d\d:\d\d) (\d{4})$/.exec(text);
  if (!match) return null;
  const at = Date.parse(`${match[1]} ${match[2]} ${match[4]} ${match[3]}`);
  return Number.isNaN(at) ? null : at;
}

/**
 * `attribute = value` lines of `qstat -Q -f` and `qstat -B -f`; a long value goes on in a line that begins with a tab.
 */
export function readAttributes(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of text.replaceAll('\n\t', '').split('\n')) {
    const match = /^\s+([\w.]+) = (.*)$/.exec(line);
    if (match?.[1] !== undefined) found.set(match[1], (match[2] ?? '').trim());
  }
  return found;
}
