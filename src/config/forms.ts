/**
 * The forms a value can have. Each schema turns text into the value; its error message completes the sentence
 * `"five" is not ...`.
 */
import { z } from 'zod';
import { isZone } from '../lib/week.ts';

type Form<T> = z.ZodType<T, string>;

/**
 * Node's timers hold at most 2^31 ms (24.8 days) and fire at once beyond that: a boot timeout of a month would fail
 * every machine immediately. So no duration may be longer than this.
 */
const MOST_SECONDS = 2_000_000;

/** Seconds in the file, milliseconds in the program. Fractions are allowed. */
export function seconds(least: number): Form<number> {
  const range =
    least === 0 ? `a number of seconds up to ${MOST_SECONDS}` : `a number of seconds from ${least} to ${MOST_SECONDS}`;
  return z
    .string()
    .regex(/^\d+(\.\d+)?$/, 'a number of seconds')
    .transform(Number)
    .refine((n) => n >= least && n <= MOST_SECONDS, range)
    .transform((n) => Math.round(n * 1000));
}

/** Seconds as above, or `never`, which becomes null. */
export const secondsOrNever: Form<number | null> = z
  .string()
  .regex(/^(\d+(\.\d+)?|never)$/i, 'a number of seconds or "never"')
  .transform((text) => (text.toLowerCase() === 'never' ? null : Number(text)))
  .refine((n) => n === null || n <= MOST_SECONDS, `a number of seconds up to ${MOST_SECONDS} or "never"`)
  .transform((n) => (n === null ? null : Math.round(n * 1000)));

export function wholeNumber(least: number): Form<number> {
  return z
    .string()
    .regex(/^\d{1,9}$/, 'a whole number')
    .transform(Number)
    .refine((n) => n >= least, `a whole number from ${least} up`);
}

/** Hours or money: 0 or more, fractions are allowed. */
export const amount: Form<number> = z
  .string()
  .regex(/^\d{1,12}(\.\d{1,6})?$/, 'a number')
  .transform(Number);

/** A part of a whole. */
export const fraction: Form<number> = z
  .string()
  .regex(/^(0(\.\d+)?|1(\.0+)?)$/, 'a number from 0 to 1')
  .transform(Number);

/** One of a few words, in any case. */
export function oneOf<const T extends string>(words: readonly [T, ...T[]]): Form<T> {
  return z
    .string()
    .toLowerCase()
    .pipe(z.enum(words, `one of ${words.join(', ')}`));
}

/** A queue or pool name goes into command lines and file names of logs: no blanks, no list, no leading dash. */
export const name: Form<string> = z
  .string()
  .regex(
    /^[^\s,;'"`$\\/<>|&()*?[\]{}=-][^\s,;'"`$\\/<>|&()*?[\]{}=]{0,127}$/,
    'a name without blanks, commas or quotes',
  );

/** IANA names: `Asia/Tokyo`. */
export const timeZone: Form<string> = z.string().refine(isZone, 'a time zone, as Asia/Tokyo is');

/** As useradd and groupadd make them, and with the dots and capitals of directory services. */
export const groupName: Form<string> = z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/, 'the name of a group');

/** A service has no folder of its own to be relative to. */
export const absolutePath: Form<string> = z.string().regex(/^\//, 'a path that begins with /');

/** The kernel keeps socket paths in 108 bytes, the last one zero. */
export const socketPath: Form<string> = z
  .string()
  .regex(/^\//, 'a path that begins with /')
  .refine((path) => Buffer.byteLength(path) <= 107, 'a socket path of at most 107 bytes, the limit of the kernel');

export const anyText: Form<string> = z.string();
