/**
 * The env file of the specification, both generations.
 *
 * The first generation's hybrid-cloud-agent.sh sources it, the second gives it to `docker run --env-file`, systemd may
 * read it as EnvironmentFile: three readers with three sets of rules. We take what means the same to all of them, and
 * where they differ we follow the reader with which the file can have worked:
 * - `export A=b`, `A=b; export A` and `set -a` are bash's; docker would have refused them.
 * - Quotes round a whole value are taken off. Docker keeps them, but nothing of ours begins with a quote.
 * - Blanks inside an unquoted value are kept (docker, systemd); bash would have run the second word as a command.
 * - Nothing is ever expanded or run. A `$` is bash's in one file and an ordinary character in another, so a value that
 *   bash would change is a problem, not a guess; single quotes say that the dollar sign is meant. Secrets are the
 *   exception: a password may well hold a `$`, and nobody builds one from variables, so in a secret only `$(...)`,
 *   `${...}`, backquotes and a value that is one variable (`$TOKEN`) are problems.
 * - The same with a backslash outside quotes.
 * Keys we do not know are the site's own: whatever they hold is not ours to judge.
 */

import type { Given, KnownKeys } from './known.ts';
import { nearest } from './names.ts';
import { type Findings, quote } from './problems.ts';

export interface EnvFile {
  /** In file order, known keys only; a key may come twice: the last counts, as with all three readers. */
  readonly given: readonly Given[];
  /** Keys whose lines are wrong: they count as given when it comes to "is not set". */
  readonly broken: readonly string[];
}

export function parseEnvFile(file: string, text: string, known: KnownKeys, findings: Findings): EnvFile {
  const given: Given[] = [];
  const broken: string[] = [];
  const firstLine = new Map<string, number>();

  for (const [index, rawLine] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const line = index + 1;
    const problem = (message: string, hint: string, key?: string) => {
      findings.problems.push({ file, line, message, hint, ...(key === undefined ? {} : { key }) });
      if (key !== undefined) broken.push(key);
    };
    const parts = splitLine(rawLine);
    if (parts === null) continue;
    if (parts === 'unreadable') {
      problem('this line is not KEY=VALUE', 'a comment begins with #');
      continue;
    }
    const { key } = parts;
    if (!known.has(key)) {
      const meant = nearest(key, known.all);
      if (meant !== null) problem(`${key} is not known; did you mean ${meant}?`, '', key);
      else if (!NAME.test(key) || key.length > 40) problem('this line is not KEY=VALUE', 'a comment begins with #');
      else findings.notices.push({ file, line, message: `${key} is not known and is ignored`, hint: '' });
      if (meant !== null) broken.push(meant);
      continue;
    }
    if (parts.blanks) {
      problem('blanks round the = are not allowed', `write ${key}=VALUE`, key);
      continue;
    }
    const value = readValue(parts.value, key, known.isSecret(key));
    if ('wrong' in value) {
      problem(value.wrong, value.hint, key);
      continue;
    }
    const before = firstLine.get(key);
    if (before !== undefined) {
      const message = `${key} is set twice, first on line ${before}; the last one counts`;
      findings.notices.push({ file, line, key, message, hint: '' });
    }
    firstLine.set(key, line);
    given.push({ key, text: value.text, origin: { kind: 'env-file', file, line } });
  }
  return { given, broken };
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

type Line = { key: string; value: string; blanks: boolean };

/** Null for lines without a meaning for us. What an unreadable line holds is never repeated: it may be half a token. */
function splitLine(rawLine: string): Line | 'unreadable' | null {
  const line = rawLine.trim();
  if (line === '' || line.startsWith('#') || /^set [-+]a$/.test(line)) return null;
  const exported = /^export\s+(.*)$/.exec(line)?.[1];
  const body = exported ?? line;
  const equals = body.indexOf('=');
  if (equals === -1) {
    const names = body.split(/\s+/);
    // `export A B` in bash, `A` alone in docker: the value comes from the environment, which we read anyway.
    return names.every((n) => NAME.test(n)) && (names.length === 1 || exported !== undefined) ? null : 'unreadable';
  }
  const left = body.slice(0, equals);
  const key = left.trim();
  const value = body.slice(equals + 1);
  if (key === '' || /\s/.test(key)) return 'unreadable';
  const blankAfter = /^\s+[^\s#]/.test(value);
  // `A= # text` is an empty value with a comment; `A=#text` is the value `#text`.
  return { key, value: /^\s+#/.test(value) ? '' : value.trim(), blanks: left !== key || blankAfter };
}

type Value = { text: string } | { wrong: string; hint: string };

function readValue(raw: string, key: string, secret: boolean): Value {
  const first = raw[0];
  if (first === "'" || first === '"') return readQuoted(raw, first, key, secret);
  const text = raw
    .replace(/\s#.*$/, '')
    .replace(new RegExp(`;\\s*export\\s+${key}\\s*;?$`), '')
    .trim();
  return judge(text, key, secret) ?? (secret || !text.includes('\\') ? { text } : backslash(key));
}

/** The quotes must enclose the whole value. */
function readQuoted(raw: string, mark: string, key: string, secret: boolean): Value {
  const whole = mark === "'" ? /^'([^']*)'(.*)$/.exec(raw) : /^"((?:[^"\\]|\\.)*)"(.*)$/.exec(raw);
  const inside = whole?.[1];
  if (inside === undefined) return { wrong: `the quote ${mark} is not closed on this line`, hint: '' };
  const after = (whole?.[2] ?? '').replace(/^\s*;\s*export\s+\w+\s*;?/, '');
  if (!/^(\s*|\s+#.*)$/.test(after)) {
    return { wrong: 'something follows the closing quote', hint: 'put the whole value in one pair of quotes' };
  }
  if (mark === "'") return { text: inside };
  const wrong = judge(inside.replace(/\\./g, '  '), key, secret);
  return wrong ?? { text: inside.replace(/\\(["\\$`])/g, '$1') };
}

/** Would bash put something else in place of this? Null when not. */
function judge(text: string, key: string, secret: boolean): Value | null {
  const expansion = secret
    ? /\$\(|\$\{|`.*`|^\$[A-Za-z_]\w*$/.exec(text)
    : /\$[A-Za-z_]\w*|\$[({0-9@*#?$!-]|`/.exec(text);
  if (expansion === null) return null;
  const what = secret || expansion[0].length > 30 ? 'a shell expansion' : quote(expansion[0]);
  return {
    wrong: `${what} is not expanded here`,
    hint: `write the value itself, or ${key}='...' in single quotes when the character is meant`,
  };
}

function backslash(key: string): Value {
  return { wrong: 'a backslash outside quotes', hint: `bash and docker read it differently; write ${key}='...'` };
}
