/**
 * What the Python side answers, checked. It is our own program, but what it read came from elsewhere.
 */
import { z } from 'zod';
import { CloudError } from '../../domain/errors.ts';

const Node = z.object({
  id: z.string(),
  no: z.number().nullable().catch(null),
  state: z.string(),
  /** Empty while nobody knows it: a BOOTING node may have none. */
  address: z.string(),
  instance: z.string(),
});

const Unit = z.object({ name: z.string(), state: z.string(), nodes: z.array(Node), why: z.string() });

const Reading = z.object({
  group: z.object({ name: z.string(), state: z.string() }).nullable(),
  units: z.array(Unit),
});

export type NodeRecord = z.infer<typeof Node>;
export type UnitRecord = z.infer<typeof Unit>;
/** The whole Unit Group at one time; group null: there is none, so there is no node either. */
export type Reading = z.infer<typeof Reading>;

const Made = z.object({ made: z.boolean(), state: z.string(), node: z.string().optional() });
export type Made = z.infer<typeof Made>;

const Checked = z.object({ user: z.string().nullable(), network: z.string().nullable(), spec: z.string().nullable() });
export type Checked = z.infer<typeof Checked>;

/** @throws CloudError `temporary`: a list with a hole would read as "that machine is gone" */
export function readReading(answer: unknown): Reading {
  return checked(Reading, answer, 'temporary');
}

/** @throws CloudError `ambiguous`: it may have been made */
export function readMade(answer: unknown): Made {
  return checked(Made, answer, 'ambiguous');
}

export function readChecked(answer: unknown): Checked {
  return checked(Checked, answer, 'temporary');
}

function checked<T>(schema: z.ZodType<T>, answer: unknown, kind: 'temporary' | 'ambiguous'): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const where = result.error.issues[0]?.path.join('.') ?? '';
  throw new CloudError(kind, `the answer of the SDK's side cannot be read${where === '' ? '' : `: ${where}`}`);
}
