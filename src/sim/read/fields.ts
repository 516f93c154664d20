/**
 * Fields of accounting logs. Strict: a unit that is not known, or a number that is none, is no number.
 */
import { Unreadable } from './trace.ts';

const SECOND = 1000;

/** A whole number, also a negative one. @throws Unreadable */
export function whole(text: string | undefined, what: string): number {
  if (text === undefined || !/^-?\d+$/.test(text)) throw new Unreadable(`${what} is no whole number: "${text ?? ''}"`);
  return Number(text);
}

/** `D-HH:MM:SS`, `D-HH:MM`, `D-HH`, `HH:MM:SS` or `MM:SS`, as Slurm prints them. @returns ms. @throws Unreadable */
export function slurmDuration(text: string, what: string): number {
  const withDays = /^(\d+)-(\d+)(?::(\d{2}))?(?::(\d{2}))?$/.exec(text);
  const plain = /^(?:(\d+):)?(\d+):(\d{2})$/.exec(text);
  const parts = withDays ? withDays.slice(1) : plain ? ['0', ...plain.slice(1)] : null;
  if (parts === null) throw new Unreadable(`${what} is no duration: "${text}"`);
  const [d, h, m, s] = parts.map((part) => Number(part ?? 0));
  return (((d ?? 0) * 24 + (h ?? 0)) * 3600 + (m ?? 0) * 60 + (s ?? 0)) * SECOND;
}

/** `1800`, `30:00`, `HH:MM:SS` or `DD:HH:MM:SS`, as Torque and PBS write them. @returns ms. @throws Unreadable */
export function pbsDuration(text: string, what: string): number {
  if (!/^\d+(:\d+){0,3}$/.test(text)) throw new Unreadable(`${what} is no duration: "${text}"`);
  const [s = 0, m = 0, h = 0, d = 0] = text.split(':').map(Number).reverse();
  return (((d * 24 + h) * 60 + m) * 60 + s) * SECOND;
}

/**
 * `2026-01-31T09:00:00`, with or without its distance from UTC (`+0900`), or seconds since 1970. A local time is read as
 * if it were UTC: only differences count in a replay.
 * @returns epoch ms; null for `Unknown`, `None` and nothing. @throws Unreadable
 */
export function slurmTime(text: string, what: string): number | null {
  if (text === '' || text === 'Unknown' || text === 'None') return null;
  if (/^\d{9,11}$/.test(text)) return Number(text) * SECOND;
  const [, local, sign = '', h, m] =
    /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:Z|([+-])(\d{2}):?(\d{2}))?$/.exec(text) ?? [];
  const zone = h === undefined || m === undefined ? 'Z' : `${sign}${h}:${m}`;
  const at = local === undefined ? Number.NaN : Date.parse(`${local}${zone}`);
  if (Number.isNaN(at)) throw new Unreadable(`${what} is no time: "${text}"`);
  return at;
}

const SLURM_UNITS: Readonly<Record<string, number>> = {
  K: 1 / 1024,
  '': 1,
  M: 1,
  G: 1024,
  T: 1024 ** 2,
  P: 1024 ** 3,
};

/**
 * ReqMem of sacct: `4Gn` is for each node and `2Gc` for each CPU (before 21.08); without a letter it is the whole job.
 * @returns MiB of the whole job. @throws Unreadable
 */
export function slurmMemory(text: string, nodes: number, cpus: number): number {
  if (text === '') return 0;
  const [, amount, unit = '', per] = /^(\d+(?:\.\d+)?)([KMGTP]?)([nc]?)$/.exec(text) ?? [];
  const size = SLURM_UNITS[unit];
  if (amount === undefined || size === undefined) throw new Unreadable(`ReqMem is no amount of memory: "${text}"`);
  return Number(amount) * size * (per === 'n' ? nodes : per === 'c' ? cpus : 1);
}

const PBS_UNITS: Readonly<Record<string, number>> = { '': 0, k: 1, m: 2, g: 3, t: 4, p: 5 };

/** `4gb`, `512mw`, `1048576`, as Torque and PBS write them (w = words of 8 bytes). @returns MiB. @throws Unreadable */
export function pbsMemory(text: string, what: string): number {
  const [, amount, power = '', unit] = /^(\d+)([kmgtp]?)(b|w)?$/i.exec(text) ?? [];
  const steps = PBS_UNITS[power.toLowerCase()];
  if (amount === undefined || steps === undefined || (power !== '' && unit === undefined))
    throw new Unreadable(`${what} is no amount of memory: "${text}"`);
  return (Number(amount) * 1024 ** steps * (unit?.toLowerCase() === 'w' ? 8 : 1)) / 1024 ** 2;
}
