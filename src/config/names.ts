/**
 * "Did you mean": finds the known name that a wrong one was probably meant to be.
 */

/**
 * The nearest of `known` to `name`, or null when none is near enough. Near: the same letters apart from case, `_`, `-`
 * and `.`; or at most two slips of the finger (a letter too many, missing, wrong, or two letters swapped), one for
 * names of up to 7 letters, where two would make `NAME` of `CASE`.
 */
export function nearest(name: string, known: Iterable<string>): string | null {
  const wanted = letters(name);
  const allowed = name.length <= 7 ? 1 : 2;
  let best: string | null = null;
  let bestSlips = allowed + 1;
  for (const candidate of known) {
    const slips = letters(candidate) === wanted ? 0 : slipsBetween(name.toUpperCase(), candidate.toUpperCase());
    if (slips < bestSlips) {
      best = candidate;
      bestSlips = slips;
    }
  }
  return best;
}

function letters(name: string): string {
  return name.toUpperCase().replace(/[_.\- ]/g, '');
}

/** Optimal string alignment distance: insert, remove, replace, swap neighbours. */
function slipsBetween(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let slips = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) slips = Math.min(slips, at(beforeLast, j - 2) + 1);
      row.push(slips);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
