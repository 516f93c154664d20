/**
 * Damage to a text, as pipes, full disks and interrupted programs do it: for fuzzing what reads it.
 */
import fc from 'fast-check';

export interface Damage {
  /** Where, from 0 to 1. */
  readonly at: number;
  readonly length: number;
  readonly kind: 'cut' | 'drop' | 'double' | 'noise' | 'swap';
  readonly noise: string;
}

/** One to three damages. The place is an integer on purpose: fc.double would nearly always hit the first characters. */
export const spoiling: fc.Arbitrary<readonly Damage[]> = fc.array(
  fc.record({
    at: fc.integer({ min: 0, max: 99_999 }).map((place) => place / 100_000),
    length: fc.integer({ min: 1, max: 40 }),
    kind: fc.constantFrom('cut' as const, 'drop' as const, 'double' as const, 'noise' as const, 'swap' as const),
    noise: fc.oneof(
      fc.string({ minLength: 1, maxLength: 6 }),
      fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', '0', 'null', '\n', '\u0000', '=', "'", '#', '$'),
    ),
  }),
  { minLength: 1, maxLength: 3 },
);

export function spoil(text: string, hits: readonly Damage[]): string {
  let out = text;
  for (const { at, length, kind, noise } of hits) {
    const from = Math.floor(at * out.length);
    const [head, piece, next] = [out.slice(0, from), out.slice(from, from + length), out.slice(from + length)];
    if (kind === 'cut') out = head;
    else if (kind === 'drop') out = head + next;
    else if (kind === 'double') out = head + piece + piece + next;
    else if (kind === 'noise') out = head + noise + out.slice(from + noise.length);
    else out = head + next.slice(0, length) + piece + next.slice(length);
  }
  return out;
}
