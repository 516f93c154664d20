/**
 * What a request may contain. Everything else is answered with 400 before the controller sees it: a name that reaches
 * the journal, a log or a terminal has none but these characters.
 */
import { z } from 'zod';

/** `c1`, `node-01.example.org`. */
const host = z
  .string()
  .max(253)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'not a host name: letters, digits, dots, hyphens and underscores');

/** A host or a job as any of the batch systems writes it: `18`, `18_3`, `18_[4-9%2]`, `7[].head.example.org`, `5.2+1`. */
const name = z
  .string()
  .max(253)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._+@:,%[\]-]*$/, 'neither a job id nor a host name');

const whole = (most: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'a whole number is expected')
    .transform(Number)
    .refine((n) => n <= most, `at most ${most}`);

/** Who asks: said by the caller, not proven; the socket's permission already decided that they may. */
const by = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._@\\-]{0,63}$/, 'not a user name')
  .default('operator');

/** The longest time a request may stay open for events, seconds. */
export const LONGEST_WAIT = 30;

export const hostParam = z.object({ host });
export const nameParam = z.object({ name });
export const eventsQuery = z
  .object({
    limit: whole(1000).default(50),
    after: whole(Number.MAX_SAFE_INTEGER).optional(),
    wait: whole(LONGEST_WAIT).default(0),
  })
  .refine((query) => query.wait === 0 || query.after !== undefined, {
    path: ['wait'],
    message: 'waiting needs `after`: the id of the last event known',
  });
export const poolQuery = z.object({
  pool: z
    .string()
    .max(128)
    .regex(/^[^\s,;'"`$\\/<>|&()*?[\]{}=-][^\s,;'"`$\\/<>|&()*?[\]{}=]*$/, 'not the name of a pool')
    .optional(),
});
export const asked = z.strictObject({ by });
export const released = z.strictObject({ by, host: host.nullable().default(null) });

/** A mistake in a request, in one line. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** @throws InputError naming every field that is wrong */
export function read<T extends z.ZodType>(schema: T, input: unknown): z.output<T> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => {
    const where = issue.path.join('.');
    return where === '' ? issue.message : `${where}: ${issue.message}`;
  });
  throw new InputError(lines.join('; '));
}
