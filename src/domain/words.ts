/**
 * Small words for sentences, so that the plan, the log and the command line say things in one way.
 */

/** `c1`, `c1 and c2`, `c1, c2 and c3`; beyond `most` names: `c1, c2, c3 and 5 more`. */
export function list(names: readonly string[], most = 6): string {
  if (names.length === 0) return 'nothing';
  if (names.length === 1) return String(names[0]);
  if (names.length > most) return `${names.slice(0, most - 1).join(', ')} and ${names.length - most + 1} more`;
  return `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;
}

/** `1 job waits`, `3 jobs wait`. */
export function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** `12`, `12.4`, `0.05`: hours or money with as many digits as a person needs. */
export function amount(n: number): string {
  return String(Number(n.toFixed(n < 10 ? 2 : 1)));
}

/** A duration in ms as a person says it: `45 s`, `10 min`, `2 h 5 min`. Rounded to the second. */
export function span(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 120) return `${s} s`;
  if (s < 3600) return s % 60 === 0 || s >= 600 ? `${Math.floor(s / 60)} min` : `${Math.floor(s / 60)} min ${s % 60} s`;
  const h = Math.floor(s / 3600);
  const m = Math.floor((s % 3600) / 60);
  if (h < 48) return m === 0 ? `${h} h` : `${h} h ${m} min`;
  return `${Math.floor(h / 24)} days`;
}
