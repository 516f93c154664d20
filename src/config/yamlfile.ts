/**
 * hybrid-cloud.yaml: one mapping of keys to single values, `poll_interval: 5`, and the list `pools:`. Keys in upper or
 * lower case.
 *
 * The messages are ours, not the parser's: a parser's message may repeat a piece of the file, and that may be a token.
 */
import { isMap, isScalar, LineCounter, parseDocument, type YAMLError } from 'yaml';
import type { Given, KnownKeys } from './known.ts';
import { type GivenPool, readPools } from './poolfile.ts';
import type { Findings } from './problems.ts';
import { BUDGET, problem, readBudget, readMapping } from './yamlkeys.ts';

export interface YamlFile {
  readonly given: readonly Given[];
  /** Keys whose lines are wrong; null when the file as a whole cannot be read. */
  readonly broken: readonly string[] | null;
  /** What stands under `pools:`; empty without it. */
  readonly pools: readonly GivenPool[];
}

export function parseYamlFile(file: string, text: string, known: KnownKeys, findings: Findings): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false, strict: true });
  const reading = { file, lines, findings };
  const places = new Set<number>();
  for (const error of document.errors) {
    // The parser's second complaint about one place only repeats the first in other words.
    if (!places.has(error.pos[0])) problem(reading, error.pos[0], ...sayYaml(error.code));
    places.add(error.pos[0]);
  }
  if (document.errors.length > 0) return { given: [], broken: null, pools: [] };
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
    return { given: [], broken: [], pools: [] };
  }
  if (!isMap(document.contents)) {
    problem(
      reading,
      document.contents.range?.[0] ?? 0,
      'the file must hold keys and values',
      'one per line: queue_name: cloud',
    );
    return { given: [], broken: null, pools: [] };
  }

  const keys = { keys: known.all, short: {}, nested: [POOLS, BUDGET], elsewhere: () => null };
  const mapping = readMapping(document.contents, keys, reading);
  readBudget(mapping, known.all, reading);
  const pools = mapping.nested.get(POOLS);
  return {
    given: mapping.given,
    broken: mapping.broken,
    pools: pools === undefined ? [] : readPools(pools, known, reading),
  };
}

const POOLS = 'POOLS';

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
