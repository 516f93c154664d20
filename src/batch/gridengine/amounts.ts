/**
 * Small values in Grid Engine's output: memory, slot ranges.
 */

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1000,
  m: 1000 ** 2,
  g: 1000 ** 3,
  t: 1000 ** 4,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
};

/**
 * Memory (`man 1 sge_types`): bytes, small letters count in thousands, capitals in 1024s: `23.541G`, `150M`, `2e9`.
 * @returns MiB, not rounded; null for `infinity` and what is no amount
 */
export function parseMiB(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?(?:[eE]\+?\d{1,2})?)([kmgtKMGT]?)$/.exec(text.trim());
  return match ? (Number(match[1]) * (UNITS[match[2] ?? ''] ?? 1)) / 2 ** 20 : null;
}

/** A whole number of at most 9 digits, or null. */
export function parseWhole(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

export interface SlotRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Slots asked of a parallel environment: `4`, `2-8`, `1,2,4-6`, `3-` (or more).
 * @returns null when it is none
 */
export function parseSlots(text: string): SlotRange[] | null {
  const ranges: SlotRange[] = [];
  for (const piece of text.split(',')) {
    const match = /^(\d{1,9})?(-)?(\d{1,9})?(?::1)?$/.exec(piece.trim());
    if (!match || (match[1] === undefined && match[3] === undefined)) return null;
    const from = Number(match[1] ?? 1);
    const to = match[2] === undefined ? from : Number(match[3] ?? Number.MAX_SAFE_INTEGER);
    if (from < 1 || to < from) return null;
    ranges.push({ from, to });
  }
  return ranges.sort((a, b) => a.from - b.from);
}

/** The fewest slots in the ranges that are a multiple of `step`, or null. */
export function fewest(ranges: readonly SlotRange[], step: number): number | null {
  for (const { from, to } of ranges) {
    const slots = Math.ceil(from / step) * step;
    if (slots <= to) return slots;
  }
  return null;
}
