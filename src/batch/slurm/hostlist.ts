/**
 * Host lists the way Slurm writes them: `c[1-4,7],d5`, `n[08-12]`, `rack[1-2]n[1-3]`.
 */

/** Longest list that is expanded; a forged `c[1-999999999]` must not fill the memory. */
const MOST = 100_000;

/**
 * Writes names as one list in natural order (c2 before c10), numbers of one width as ranges, each name once. Slurm pads
 * every number of a range to the width of its first, so `c9` and `c10` are a range, `c09` and `c10` are one, but
 * `c09` and `c9` never are.
 */
export function compress(names: readonly string[]): string {
  const out: string[] = [];
  for (const [prefix, numbers] of byPrefix(sortHosts(names))) {
    const runs = inRuns(numbers);
    if (prefix === null) out.push(...numbers);
    else if (runs.length === 1 && !runs[0]?.includes('-')) out.push(`${prefix}${runs[0]}`);
    else out.push(`${prefix}[${runs.join(',')}]`);
  }
  return out.join(',');
}

/**
 * All names of a list, in the order written. Empty for what Slurm prints when there is none: ``, `(null)`, `N/A`.
 * @throws SyntaxError when it is no host list, RangeError when it has more than 100,000 names.
 */
export function expand(list: string): string[] {
  const text = list.trim();
  if (text === '' || text === '(null)' || text === 'N/A' || text === 'None assigned') return [];
  return splitOutside(text).flatMap(expandOne);
}

/** Natural order, each name once: the order Slurm itself uses, so that what is read back lines up. */
export function sortHosts(names: readonly string[]): string[] {
  return [...new Set(names)].sort(natural);
}

/** May this name be put on a command line of Slurm's? `ALL` would mean every node of the cluster. */
export function isPlainName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name) && name.toUpperCase() !== 'ALL';
}

function natural(a: string, b: string): number {
  const x = parts(a);
  const y = parts(b);
  if (x.prefix !== y.prefix) return x.prefix < y.prefix ? -1 : 1;
  return Number(x.digits || -1) - Number(y.digits || -1) || x.digits.length - y.digits.length;
}

/** Trailing digits apart; more than 15 would not be exact as a number and stay part of the name. */
function parts(name: string): { prefix: string; digits: string } {
  const digits = /\d{1,15}$/.exec(name)?.[0] ?? '';
  return { prefix: name.slice(0, name.length - digits.length), digits };
}

/** Neighbours with one prefix; names without a number (or without anything before it) stand alone under `null`. */
function byPrefix(names: readonly string[]): [string | null, string[]][] {
  const groups: [string | null, string[]][] = [];
  for (const name of names) {
    const { prefix, digits } = parts(name);
    const last = groups.at(-1);
    if (digits === '' || prefix === '' || /\d$/.test(prefix)) groups.push([null, [name]]);
    else if (last?.[0] === prefix) last[1].push(digits);
    else groups.push([prefix, [digits]]);
  }
  return groups;
}

function inRuns(numbers: readonly string[]): string[] {
  const runs: { from: string; to: string }[] = [];
  for (const digits of numbers) {
    const last = runs.at(-1);
    if (last && String(Number(last.to) + 1).padStart(last.from.length, '0') === digits) last.to = digits;
    else runs.push({ from: digits, to: digits });
  }
  return runs.map(({ from, to }) => (from === to ? from : `${from}-${to}`));
}

/** Commas between names, not those inside brackets. */
function splitOutside(text: string): string[] {
  const out: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '[') depth++;
    else if (c === ']') depth--;
    else if (c === ',' && depth === 0) {
      out.push(text.slice(start, i));
      start = i + 1;
    }
    if (depth < 0 || depth > 1) throw new SyntaxError(`no host list: ${text.slice(0, 80)}`);
  }
  if (depth !== 0) throw new SyntaxError(`no host list: ${text.slice(0, 80)}`);
  out.push(text.slice(start));
  return out;
}

/** `rack[1-2]n[01-03]` to its six names. */
function expandOne(word: string): string[] {
  let names = [''];
  for (const piece of word.split(/(\[[^\]]*\])/)) {
    if (piece === '') continue;
    if (!/^(\[[\d,-]+\]|[A-Za-z0-9._-]+)$/.test(piece)) throw new SyntaxError(`no host list: ${word.slice(0, 80)}`);
    const choices = piece.startsWith('[') ? piece.slice(1, -1).split(',').flatMap(range) : [piece];
    if (names.length * choices.length > MOST) throw new RangeError(`more than ${MOST} hosts: ${word.slice(0, 80)}`);
    names = names.flatMap((name) => choices.map((choice) => name + choice));
  }
  if (names.length === 1 && names[0] === '') throw new SyntaxError('no host list: an empty name');
  return names;
}

function range(text: string): string[] {
  const match = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(text);
  if (!match) throw new SyntaxError(`no range of hosts: ${text.slice(0, 80)}`);
  const from = Number(match[1]);
  const to = Number(match[2] ?? match[1]);
  if (to < from) throw new SyntaxError(`no range of hosts: ${text}`);
  if (to - from >= MOST) throw new RangeError(`more than ${MOST} hosts: ${text}`);
  const width = match[1]?.length ?? 1;
  return Array.from({ length: to - from + 1 }, (_, i) => String(from + i).padStart(width, '0'));
}
