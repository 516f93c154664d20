/**
 * `sbatch --constraint`: which features the hosts of a job must have, as sets of words of which any one will do.
 *
 * - `&` (and `,`) and `|` bind equally and are read from the left: `a|b&c` is `(a|b)&c`. Seen with 22.05.8;
 *   parentheses change it.
 * - `[a|b]` means all hosts alike. Read as "each host a or b": exact for one host, too generous for several.
 * - `[a*2&b*1]` means two hosts with a and one with b. Read as "each host a or b", since all hosts of our jobs ask for
 *   the same; so of a pool with too few of one kind it may promise too much, and `-N4 -C a*1` asks for four with a.
 *
 * What cannot be read asks for nothing: the job is then placed as if it had no constraint, and Slurm has the last word.
 */

/** Any one of these sets, all of its words; empty = any host. */
export type Features = readonly (readonly string[])[];

const ANY: Features = [];

/** More sets or characters than this are not read: `(a|b)&(c|d)&...` doubles with each term. */
const MOST_SETS = 64;
const MOST_TEXT = 2000;

interface Term {
  readonly sets: readonly (readonly string[])[];
  /** It had a `*2` behind it: with another such one it stands for different hosts. */
  readonly counted: boolean;
}

export function parseConstraint(text: string): Features {
  if (text === '' || text === '(null)' || text === 'N/A' || text.length > MOST_TEXT) return ANY;
  const tokens = text.match(/[&|,()[\]*]|[^&|,()[\]*\s]+|\s+/g) ?? [];
  let at = 0;

  function expression(end: string | undefined): Term | null {
    let left = term();
    while (left !== null && tokens[at] !== end) {
      const sign = tokens[at++];
      const right = sign === '|' || sign === '&' || sign === ',' ? term() : null;
      left = right === null ? null : combine(left, right, sign === '|');
    }
    return left;
  }

  function term(): Term | null {
    const token = tokens[at++];
    const close = token === '(' ? ')' : token === '[' ? ']' : null;
    let inner: Term | null = null;
    if (close !== null) {
      inner = expression(close);
      at++;
    } else if (token !== undefined && WORD.test(token)) inner = { sets: [[token]], counted: false };
    if (inner === null || tokens[at] !== '*') return inner;
    at += 2;
    return /^\d+$/.test(tokens[at - 1] ?? '') ? { ...inner, counted: true } : null;
  }

  return expression(undefined)?.sets ?? ANY;
}

/** What a feature may be called, as far as we must tell it from a sign we do not know. */
const WORD = /^[A-Za-z0-9_][^!?<>"'`\\]*$/;

/** @returns null when it grows beyond what is worth reading */
function combine(a: Term, b: Term, either: boolean): Term | null {
  const counted = a.counted || b.counted;
  const sets =
    either || (a.counted && b.counted)
      ? [...a.sets, ...b.sets]
      : a.sets.length * b.sets.length > MOST_SETS
        ? []
        : a.sets.flatMap((one) => b.sets.map((other) => [...new Set([...one, ...other])]));
  const distinct = [...new Map(sets.map((set) => [set.toSorted().join('&'), set])).values()];
  return distinct.length === 0 || distinct.length > MOST_SETS ? null : { sets: distinct, counted };
}
