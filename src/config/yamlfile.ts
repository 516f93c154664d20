/**
 * hybrid-cloud.yaml: one mapping of keys to single values, `poll_interval: 5`. Keys in upper or lower case.
 *
 * The messages are ours, not the parser's: a parser's message may repeat a piece of the file, and that may be a token.
 */
import { isMap, isScalar, LineCounter, type Pair, parseDocument, type YAMLError } from 'yaml';
import type { Given, KnownKeys } from './known.ts';
import { nearest } from './names.ts';
import type { Findings } from './problems.ts';

export interface YamlFile {
  readonly given: readonly Given[];
  /** Keys whose lines are wrong; null when the file as a whole cannot be read. */
  readonly broken: readonly string[] | null;
}

export function parseYamlFile(file: string, text: string, known: KnownKeys, findings: Findings): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false, strict: true });
  const problem = (offset: number, message: string, hint: string, key?: string) => {
    const { line, col } = lines.linePos(offset);
    findings.problems.push({ file, line, column: col, message, hint, ...(key === undefined ? {} : { key }) });
  };
  const places = new Set<number>();
  for (const error of document.errors) {
    // The parser's second complaint about one place only repeats the first in other words.
    if (!places.has(error.pos[0])) problem(error.pos[0], ...sayYaml(error.code));
    places.add(error.pos[0]);
  }
  if (document.errors.length > 0) return { given: [], broken: null };
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
    return { given: [], broken: [] };
  }
  if (!isMap(document.contents)) {
    problem(document.contents.range?.[0] ?? 0, 'the file must hold keys and values', 'one per line: queue_name: cloud');
    return { given: [], broken: null };
  }

  const given: Given[] = [];
  const broken: string[] = [];
  const seen = new Map<string, number>();
  for (const pair of document.contents.items) {
    const offset = offsetOf(pair.key);
    const written = isScalar(pair.key) ? String(pair.key.value) : '';
    const key = written.toUpperCase();
    if (!known.has(key)) {
      const meant = nearest(written, known.all);
      const style = meant !== null && written === written.toLowerCase() ? meant.toLowerCase() : meant;
      const shown = /^[\w.-]{1,40}$/.test(written) ? written : undefined;
      problem(
        offset,
        `${shown ?? 'this key'} is not known${style === null ? '' : `; did you mean ${style}?`}`,
        '',
        shown,
      );
      if (meant !== null) broken.push(meant);
      continue;
    }
    const { line } = lines.linePos(offset);
    const before = seen.get(key);
    if (before !== undefined) problem(offset, `is set twice, first on line ${before}`, 'remove one of them', key);
    seen.set(key, line);
    const value = textOf(pair);
    if (value === null) {
      problem(offset, 'must be one value', `write ${written}: VALUE, in quotes if it holds special characters`, key);
      broken.push(key);
    } else {
      given.push({ key, text: value, origin: { kind: 'yaml', file, line } });
    }
  }
  return { given, broken };
}

/** The text as it stands in the file: `0600` stays `0600`. Null when it is a list, a mapping or a reference. */
function textOf(pair: Pair): string | null {
  const { value } = pair;
  if (value === null) return '';
  if (!isScalar(value) || value.tag !== undefined) return null;
  if (typeof value.value === 'string') return value.value;
  return value.value === null ? '' : (value.source ?? String(value.value));
}

function offsetOf(node: unknown): number {
  return isScalar(node) ? (node.range?.[0] ?? 0) : 0;
}

const SAY: Partial<Record<YAMLError['code'], [string, string]>> = {
  BAD_INDENT: [
    'not valid YAML: wrong indentation, or a bracket before it is not closed',
    'begin every key at column 1',
  ],
  TAB_AS_INDENT: ['not valid YAML: a tab is used to indent', 'use blanks'],
  MISSING_CHAR: ['not valid YAML: a quote, bracket or colon is missing', 'key: "value"'],
  BAD_SCALAR_START: ['not valid YAML: a value cannot begin with this character', 'put the value in quotes'],
  BAD_DQ_ESCAPE: ['not valid YAML: wrong backslash in double quotes', 'use single quotes'],
  MULTILINE_IMPLICIT_KEY: ['not valid YAML: a colon is missing after this key', 'key: value'],
  BLOCK_AS_IMPLICIT_KEY: [
    'not valid YAML: a key inside a value',
    'begin every key at column 1; put a value that holds a colon and a blank in quotes',
  ],
  MULTIPLE_DOCS: ['a second document begins here', 'remove the line ---'],
};

function sayYaml(code: YAMLError['code']): [string, string] {
  return SAY[code] ?? ['not valid YAML here', 'key: value, one per line; put values with special characters in quotes'];
}
