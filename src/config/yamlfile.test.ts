import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fuzz } from '../../test/support/fuzz.ts';
import { registries } from './fixtures/site.ts';
import { knownKeys } from './known.ts';
import { type Findings, sayProblem } from './problems.ts';
import { parseYamlFile } from './yamlfile.ts';

const known = knownKeys(registries);

function parse(text: string) {
  const findings: Findings = { problems: [], notices: [] };
  const { given, broken } = parseYamlFile('y', text, known, findings);
  return {
    values: Object.fromEntries(given.map((g) => [g.key, g.text])),
    lines: given.map((g) => g.origin.line),
    problems: findings.problems.map(sayProblem),
    broken,
  };
}

const readable: [string, string, Record<string, string>][] = [
  ['upper and lower case keys', 'QUEUE_NAME: a\npoll_interval: 5\n', { QUEUE_NAME: 'a', POLL_INTERVAL: '5' }],
  [
    'numbers as they are written',
    'poll_interval: 05.50\nmax_nodes: 0600',
    { POLL_INTERVAL: '05.50', MAX_NODES: '0600' },
  ],
  ['a queue called no', 'queue_name: no', { QUEUE_NAME: 'no' }],
  ['a queue called true or 1', 'queue_name: true\npool_name: 1', { QUEUE_NAME: 'true', POOL_NAME: '1' }],
  ['quotes', 'queue_name: "a"\npool_name: \'b\'', { QUEUE_NAME: 'a', POOL_NAME: 'b' }],
  ['comments', '# text\nqueue_name: a # text\n', { QUEUE_NAME: 'a' }],
  ['a key without value', 'queue_name:\npool_name: ~', { QUEUE_NAME: '', POOL_NAME: '' }],
  ['nothing', '', {}],
  ['only comments', '# a\n---\n', {}],
  ['CRLF line ends', 'queue_name: a\r\npool_name: b\r\n', { QUEUE_NAME: 'a', POOL_NAME: 'b' }],
  ['a dollar sign', 'vcp_accesskey: a$b', { VCP_ACCESSKEY: 'a$b' }],
];

for (const [what, text, values] of readable) {
  test(`hybrid-cloud.yaml may hold ${what}`, () => {
    const got = parse(text);
    assert.deepEqual(got.problems, []);
    assert.deepEqual(got.values, values);
  });
}

const unreadable: [string, string, string][] = [
  [
    'a typing slip',
    'queue_name: a\npoll_intervall: 5',
    'y:2:1: poll_intervall is not known; did you mean poll_interval?',
  ],
  ['a slip in capitals', 'POLL_INTERVALL: 5', 'y:1:1: POLL_INTERVALL is not known; did you mean POLL_INTERVAL?'],
  ['any other unknown key', 'http_proxy: x', 'y:1:1: http_proxy is not known'],
  [
    'a list',
    'queue_name: [a, b]',
    'y:1:1: QUEUE_NAME: must be one value (write queue_name: VALUE, in quotes if it holds special characters)',
  ],
  [
    'a mapping',
    'cloud:\n  kind: vcp',
    'y:1:1: CLOUD: must be one value (write cloud: VALUE, in quotes if it holds special characters)',
  ],
  [
    'a key twice',
    'queue_name: a\nQUEUE_NAME: b',
    'y:2:1: QUEUE_NAME: is set twice, first on line 1 (remove one of them)',
  ],
  ['a list at the top', '- a', 'y:1:1: the file must hold keys and values (one per line: queue_name: cloud)'],
  ['an env file', 'QUEUE_NAME=a', 'y:1:1: the file must hold keys and values (one per line: queue_name: cloud)'],
  ['an open quote', 'queue_name: "a\n', 'y:2:1: not valid YAML: a quote, bracket or colon is missing (key: "value")'],
  [
    'a colon in a value',
    'queue_name: a: b',
    'y:1:13: not valid YAML: a key inside a value (begin every key at column 1; put a value that holds a colon and a blank in quotes)',
  ],
  [
    'an indented key',
    'queue_name: a\n  pool_name: b',
    'y:1:13: not valid YAML: a key inside a value (begin every key at column 1; put a value that holds a colon and a blank in quotes)',
  ],
  [
    'a value that begins with @',
    'queue_name: @a',
    'y:1:13: not valid YAML: a value cannot begin with this character (put the value in quotes)',
  ],
];

for (const [what, text, problem] of unreadable) {
  test(`hybrid-cloud.yaml may not hold ${what}`, () => {
    const got = parse(text);
    assert.deepEqual(got.problems, [problem]);
  });
}

test('a broken file says so at a line and never repeats what it holds', () => {
  const token = 'tokentokentoken';
  for (const text of [
    `vcp_accesskey: "${token}`,
    `vcp_accesskey: @${token}`,
    `vcp_accesskey: x: ${token}`,
    `vcp_accesskey ${token}`,
    `vcp_accesskey: [${token}`,
    `vcp_accesskey: *${token}`,
    `vcp_accesskey: !${token} x`,
    `${token}: x\nqueue_name: [`,
    `{${token}`,
    `vcp_accesskey: "\\q${token}"`,
  ]) {
    const got = parse(text);
    assert.ok(got.problems.length > 0, text);
    assert.ok(!got.problems.join('\n').includes(token), got.problems.join('\n'));
  }
});

test('whatever is in the file, it is read without an exception', () => {
  fuzz(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      parse(text);
      parse(`queue_name: ${text}`);
      parse(`${text}: 1`);
    }),
  );
});
