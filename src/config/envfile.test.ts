import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fuzz } from '../../test/support/fuzz.ts';
import { parseEnvFile } from './envfile.ts';
import { registries } from './fixtures/site.ts';
import { knownKeys } from './known.ts';
import { type Findings, sayProblem } from './problems.ts';

const known = knownKeys(registries);

function parse(text: string) {
  const findings: Findings = { problems: [], notices: [] };
  const { given } = parseEnvFile('env', text, known, findings);
  return {
    values: Object.fromEntries(given.map((g) => [g.key, g.text])),
    lines: given.map((g) => g.origin.line),
    problems: findings.problems.map(sayProblem),
    notices: findings.notices.map(sayProblem),
  };
}

const readable: [string, string, Record<string, string>][] = [
  ['a plain value', 'VC_NAME=a', { VC_NAME: 'a' }],
  ['export', 'export VC_NAME=a', { VC_NAME: 'a' }],
  ['export after the value', 'VC_NAME=a; export VC_NAME', { VC_NAME: 'a' }],
  ['export after a quoted value', 'VC_NAME="a" ; export VC_NAME;', { VC_NAME: 'a' }],
  ['indentation', '  \tVC_NAME=a', { VC_NAME: 'a' }],
  ['double quotes', 'VC_NAME="a b"', { VC_NAME: 'a b' }],
  ['single quotes', "VC_NAME='a b'", { VC_NAME: 'a b' }],
  ['escapes in double quotes', 'VC_NAME="a\\"b\\$c\\\\d"', { VC_NAME: 'a"b$c\\d' }],
  ['single quotes with everything in them', "VC_NAME='$(a) `b` \\ \"'", { VC_NAME: '$(a) `b` \\ "' }],
  ['a comment after the value', 'VC_NAME=a # text', { VC_NAME: 'a' }],
  ['a comment after quotes', 'VC_NAME="a#b" # text', { VC_NAME: 'a#b' }],
  ['a # inside a word', 'VC_NAME=a#b', { VC_NAME: 'a#b' }],
  ['a comment alone', 'VC_NAME= # text', { VC_NAME: '' }],
  ['an empty value', 'VC_NAME=', { VC_NAME: '' }],
  ['empty quotes', 'MDX_USE_GPU=""', { MDX_USE_GPU: '' }],
  [
    'blanks inside, as docker reads them',
    'BATCH_RUN_PREFIX=ssh slurm-master',
    { BATCH_RUN_PREFIX: 'ssh slurm-master' },
  ],
  ['an = inside', 'VC_NAME=a=b=', { VC_NAME: 'a=b=' }],
  ['CRLF line ends', 'VC_NAME=a\r\nPROVIDER_NAME=b\r\n', { VC_NAME: 'a', PROVIDER_NAME: 'b' }],
  ['a byte order mark', '\uFEFFVC_NAME=a', { VC_NAME: 'a' }],
  ['comments and empty lines', '\n# VC_NAME=x\n   \nVC_NAME=a\n', { VC_NAME: 'a' }],
  ['a name alone', 'VC_NAME\nexport PROVIDER_NAME FLAVOR_NAME\nset -a\nset +a', {}],
  ['the last of two', 'VC_NAME=a\nVC_NAME=b', { VC_NAME: 'b' }],
  ['a dollar sign that stands alone', 'VC_NAME=a$', { VC_NAME: 'a$' }],
  ['a dollar sign in a secret', 'MDX_INIT_PASSWORD=pa$word\\x', { MDX_INIT_PASSWORD: 'pa$word\\x' }],
  ['a dollar sign in a quoted secret', 'MDX_INIT_PASSWORD="pa$5"', { MDX_INIT_PASSWORD: 'pa$5' }],
];

for (const [what, text, values] of readable) {
  test(`the env file may hold ${what}`, () => {
    const got = parse(text);
    assert.deepEqual(got.problems, []);
    assert.deepEqual(got.values, values);
  });
}

const unreadable: [string, string, string][] = [
  ['blanks before =', 'VC_NAME =a', 'env:1: VC_NAME: blanks round the = are not allowed (write VC_NAME=VALUE)'],
  ['blanks after =', '\nVC_NAME= a', 'env:2: VC_NAME: blanks round the = are not allowed (write VC_NAME=VALUE)'],
  ['no =', 'VC_NAME a', 'env:1: this line is not KEY=VALUE (a comment begins with #)'],
  ['YAML', 'VC_NAME: a', 'env:1: this line is not KEY=VALUE (a comment begins with #)'],
  ['shell code', 'if [ "$a" = b ]; then', 'env:1: this line is not KEY=VALUE (a comment begins with #)'],
  ['an open quote', 'VC_NAME="a', 'env:1: VC_NAME: the quote " is not closed on this line'],
  ['an open single quote', "VC_NAME='a", "env:1: VC_NAME: the quote ' is not closed on this line"],
  [
    'something after a quote',
    'VC_NAME="a"b',
    'env:1: VC_NAME: something follows the closing quote (put the whole value in one pair of quotes)',
  ],
  [
    'a variable',
    'NFS_MOUNT_POINT=$HEAD:/export',
    `env:1: NFS_MOUNT_POINT: "$HEAD" is not expanded here (write the value itself, or NFS_MOUNT_POINT='...' in single quotes when the character is meant)`,
  ],
  [
    'a backslash',
    'VC_NAME=a\\ b',
    "env:1: VC_NAME: a backslash outside quotes (bash and docker read it differently; write VC_NAME='...')",
  ],
  ['a typing slip', 'POLL_INTERVALL=5', 'env:1: POLL_INTERVALL is not known; did you mean POLL_INTERVAL?'],
  ['lower case', 'poll_interval=5', 'env:1: poll_interval is not known; did you mean POLL_INTERVAL?'],
  ['dashes', 'poll-interval=5', 'env:1: poll-interval is not known; did you mean POLL_INTERVAL?'],
];

for (const [what, text, problem] of unreadable) {
  test(`the env file may not hold ${what}`, () => {
    const got = parse(text);
    assert.deepEqual(got.problems, [problem]);
    assert.deepEqual(got.values, {});
  });
}

for (const value of ['$(cat /root/token)', '`cat token`', `\${TOKEN}`, '$TOKEN', '"$TOKEN"', `"x\${TOKEN}"`]) {
  test(`a secret is never made by the shell: ${value}`, () => {
    const got = parse(`VCP_ACCESSKEY=${value}`);
    assert.equal(got.problems.length, 1);
    assert.match(String(got.problems[0]), /VCP_ACCESSKEY: a shell expansion is not expanded here/);
    assert.doesNotMatch(String(got.problems[0]), /TOKEN|cat/);
  });
}

test("the site's own variables are told once each and otherwise left alone", () => {
  const got = parse('HTTP_PROXY=http://$USER:secret@proxy\nVC_NAME=a\nOTHER="open\n');
  assert.deepEqual(got.problems, []);
  assert.deepEqual(got.notices, [
    'env:1: HTTP_PROXY is not known and is ignored',
    'env:3: OTHER is not known and is ignored',
  ]);
});

test('a key that is set twice is told, with both lines', () => {
  const got = parse('VC_NAME=a\n\nVC_NAME=b');
  assert.deepEqual(got.notices, ['env:3: VC_NAME is set twice, first on line 1; the last one counts']);
});

test('a pasted piece of a token is not repeated, wherever it lands', () => {
  const piece = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9eyJhbGciOiJIUzI1NiIs';
  for (const line of [
    piece,
    `${piece}=`,
    `${piece.slice(0, 50)}.x==`,
    `VCP_ACCESSKEY = ${piece}`,
    `VCP_ACCESSKEY="${piece}`,
  ]) {
    const got = parse(line);
    assert.ok(![...got.problems, ...got.notices].join('\n').includes(piece.slice(0, 20)), line.slice(0, 20));
  }
});

test('line numbers count every line', () => {
  assert.deepEqual(parse('# one\r\n\r\nVC_NAME=a\r\nPROVIDER_NAME=b').lines, [3, 4]);
});

test('whatever is in the file, it is read without an exception', () => {
  fuzz(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (lines) => {
      parse(lines.map((line) => `VC_NAME=${line}`).join('\n'));
      parse(lines.join('\n'));
    }),
  );
});

test('what single quotes hold comes back unchanged', () => {
  fuzz(
    fc.property(fc.string(), (text) => {
      const value = text.replace(/[\r\n']/g, '');
      assert.equal(parse(`VC_NAME='${value}'`).values.VC_NAME, value);
    }),
  );
});
