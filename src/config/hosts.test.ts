import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fuzz } from '../../test/support/fuzz.ts';
import { failure, fixture } from './fixtures/site.ts';
import { loadHosts, parseHosts } from './hosts.ts';
import { type Findings, sayProblem } from './problems.ts';

function parse(text: string) {
  const findings: Findings = { problems: [], notices: [] };
  const hosts = parseHosts('h', text, findings);
  return { hosts, problems: findings.problems.map(sayProblem), notices: findings.notices.map(sayProblem) };
}

test("the specification's example is read", () => {
  const got = parse(fixture('hosts.json'));
  assert.deepEqual(got.problems, []);
  assert.deepEqual(got.hosts, [
    { name: 'c1', ip: '172.30.2.101' },
    { name: 'c2', ip: '172.30.2.102' },
    { name: 'c3', ip: '172.30.2.103' },
    { name: 'c4', ip: '172.30.2.104' },
  ]);
});

test('the order of the file is kept', () => {
  const got = parse('{"10.0.0.9": "z", "10.0.0.1": "a", "fd00::2": "m.example.org"}');
  assert.deepEqual(
    got.hosts?.map((host) => host.name),
    ['z', 'a', 'm.example.org'],
  );
});

test('a byte order mark and CRLF line ends are accepted', () => {
  assert.deepEqual(parse('\uFEFF{\r\n  "10.0.0.1": "a"\r\n}\r\n').hosts, [{ name: 'a', ip: '10.0.0.1' }]);
});

const wrong: [string, string, string[]][] = [
  ['a comma too many', '{\n  "10.0.0.1": "a",\n}', ['h:2:18: the comma before } is one too many (remove it)']],
  ['a comma too few', '{"10.0.0.1": "a"\n "10.0.0.2": "b"}', ['h:1:17: a comma is missing after "a"']],
  [
    'two commas',
    '{"10.0.0.1": "a",, "10.0.0.2": "b"}',
    ['h:1:18: an entry in double quotes is expected here (is this comma one too many?)'],
  ],
  ['a comment with //', '{\n// text\n"10.0.0.1": "a"}', ['h:2:1: JSON has no comments (remove it)']],
  ['a comment with #', '{"10.0.0.1": "a" # text\n}', ['h:1:18: JSON has no comments (remove it)']],
  [
    'an address without its end quote',
    '{"10.0.0.1: "a"}',
    ['h:1:14: a colon is expected after "10.0.0.1: " (is a quote missing?)'],
  ],
  [
    'a name without its end quote',
    '{"10.0.0.1": "a\n}',
    ['h:1:14: the quote that begins here is not closed on this line (add the closing ")'],
  ],
  ['a name without quotes', '{"10.0.0.1": a}', ['h:1:14: a value in double quotes is expected here']],
  ['an address without quotes', '{10.0.0.1: "a"}', ['h:1:2: an entry or } in double quotes is expected here']],
  [
    'single quotes',
    "{'10.0.0.1': 'a'}",
    ['h:1:2: an entry or } in double quotes is expected here (JSON knows only double quotes: ")'],
  ],
  [
    'curly quotes',
    '{“10.0.0.1”: "a"}',
    ['h:1:2: an entry or } in double quotes is expected here (“ is not the plain double quote ")'],
  ],
  [
    'a wide colon',
    '{"10.0.0.1"："a"}',
    ['h:1:12: a colon is expected after "10.0.0.1" (： is the wide form; write :)'],
  ],
  [
    'a wide blank',
    '{"10.0.0.1":　"a"}',
    ['h:1:13: a value in double quotes is expected here (this is a wide blank; use a plain one)'],
  ],
  ['no colon', '{"10.0.0.1" "a"}', ['h:1:13: a colon is expected after "10.0.0.1"']],
  ['an end too early', '{"10.0.0.1": "a"', ['h:1:17: the file ends too early: a comma or } is expected here']],
  ['something after the end', '{"10.0.0.1": "a"}\n}', ['h:2:1: the file should end here, after the closing bracket']],
  ['nothing', ' \n', ['h:1:1: the file is empty (an empty object is {})']],
  ['a backslash', '{"10.0.0.1": "a\\x"}', ['h:1:16: a backslash that means nothing in JSON']],
  ['no host', '{ }', ['h:1:1: no host is registered (e.g. { "172.30.2.101": "c1" })']],
  [
    'a list',
    '["10.0.0.1"]',
    ['h:1:1: an object of addresses and names is expected, not a list (e.g. { "172.30.2.101": "c1" })'],
  ],
  [
    'a text',
    '"10.0.0.1"',
    ['h:1:1: an object of addresses and names is expected, not a text (e.g. { "172.30.2.101": "c1" })'],
  ],
  [
    'an address twice',
    '{"10.0.0.1": "a",\n"10.0.0.1": "b"}',
    ['h:2:1: "10.0.0.1" is registered twice (the first time for "a")'],
  ],
  [
    'an address twice in two spellings',
    '{"fd00::1": "a", "fd00:0::1": "b"}',
    ['h:1:18: "fd00:0::1" is registered twice (the first time for "a")'],
  ],
  [
    'a name twice',
    '{"10.0.0.1": "a",\n"10.0.0.2": "A"}',
    ['h:2:13: "A" is registered twice (the first time for "10.0.0.1")'],
  ],
  [
    'an impossible address',
    '{"999.1.1.1": "a"}',
    ['h:1:2: "999.1.1.1" is not an IP address (four numbers from 0 to 255, or IPv6)'],
  ],
  ['three numbers', '{"10.0.0": "a"}', ['h:1:2: "10.0.0" is not an IP address (four numbers from 0 to 255, or IPv6)']],
  [
    'leading zeros',
    '{"10.0.0.010": "a"}',
    ['h:1:2: "10.0.0.010" is not an IP address (write the numbers without leading zeros)'],
  ],
  [
    'blanks in an address',
    '{" 10.0.0.1": "a"}',
    ['h:1:2: " 10.0.0.1" is not an IP address (remove the blanks inside the quotes)'],
  ],
  [
    'a range of addresses',
    '{"10.0.0.1-4": "a"}',
    ['h:1:2: "10.0.0.1-4" is not an IP address (one entry for each host, no ranges)'],
  ],
  [
    'a network',
    '{"10.0.0.0/24": "a"}',
    ['h:1:2: "10.0.0.0/24" is not an IP address (one entry for each host, no ranges)'],
  ],
  ['the network address', '{"0.0.0.0": "a"}', ['h:1:2: "0.0.0.0" is a network address (no node can have it)']],
  [
    'a multicast address',
    '{"224.0.0.1": "a", "ff02::1": "b"}',
    [
      'h:1:2: "224.0.0.1" is a multicast address (no node can have it)',
      'h:1:20: "ff02::1" is a multicast address (no node can have it)',
    ],
  ],
  [
    'the broadcast address',
    '{"255.255.255.255": "a"}',
    ['h:1:2: "255.255.255.255" is the broadcast address (no node can have it)'],
  ],
  ['no address at all in IPv6', '{"::": "a"}', ['h:1:2: "::" is the unspecified address (no node can have it)']],
  [
    'an address with a zone',
    '{"fe80::1%eth0": "a"}',
    ['h:1:2: "fe80::1%eth0" has a zone (write it without the part after %)'],
  ],
  [
    'IPv4 written as IPv6',
    '{"::ffff:10.0.0.1": "a"}',
    ['h:1:2: "::ffff:10.0.0.1" is an IPv4 address in IPv6 dress (write it as IPv4)'],
  ],
  [
    'name and address exchanged',
    '{"c1": "10.0.0.1"}',
    ['h:1:2: "c1": the address comes first (write "10.0.0.1": "c1")'],
  ],
  [
    'a name with an underscore',
    '{"10.0.0.1": "a_b"}',
    ['h:1:14: "a_b" is not a host name (letters, digits and dashes, up to 63 between dots)'],
  ],
  [
    'a name that ends with a dash',
    '{"10.0.0.1": "a-"}',
    ['h:1:14: "a-" is not a host name (letters, digits and dashes, up to 63 between dots)'],
  ],
  [
    'an empty name',
    '{"10.0.0.1": ""}',
    ['h:1:14: "" is not a host name (letters, digits and dashes, up to 63 between dots)'],
  ],
  [
    'a range of names',
    '{"10.0.0.1": "c[1-4]"}',
    ['h:1:14: "c[1-4]" is not a host name (one entry for each host, no ranges)'],
  ],
  [
    'an address as name',
    '{"10.0.0.1": "10.0.0.1"}',
    ['h:1:14: "10.0.0.1" is not a host name (write the name the batch system knows it by)'],
  ],
  [
    'a number as name',
    '{"10.0.0.1": 5}',
    ['h:1:14: the host name of "10.0.0.1" must be a text, not a number ("10.0.0.1": "c1")'],
  ],
  [
    'null as name',
    '{"10.0.0.1": null}',
    ['h:1:14: the host name of "10.0.0.1" must be a text, not a word ("10.0.0.1": "c1")'],
  ],
  [
    'an object as name',
    '{"10.0.0.1": {"name": "a"}}',
    ['h:1:14: the host name of "10.0.0.1" must be a text, not an object ("10.0.0.1": "c1")'],
  ],
  [
    'several mistakes, all told',
    '{"10.0.0": "a",\n"10.0.0.2": "a_b",\n"10.0.0.3": "a"}',
    [
      'h:1:2: "10.0.0" is not an IP address (four numbers from 0 to 255, or IPv6)',
      'h:2:13: "a_b" is not a host name (letters, digits and dashes, up to 63 between dots)',
      'h:3:13: "a" is registered twice (the first time for "10.0.0")',
    ],
  ],
];

for (const [what, text, problems] of wrong) {
  test(`hosts.json may not hold ${what}`, () => {
    assert.deepEqual(parse(text), { hosts: null, problems, notices: [] });
  });
}

test('a loopback address is only told', () => {
  const got = parse('{"127.0.0.1": "a", "::1": "b"}');
  assert.equal(got.hosts?.length, 2);
  assert.deepEqual(got.notices, [
    'h:1:2: "127.0.0.1" is an address of this machine itself; good for trying only',
    'h:1:20: "::1" is an address of this machine itself; good for trying only',
  ]);
});

test('escape sequences in the file do not reach the terminal', () => {
  const { problems } = parse('{"10.0.0.1": "\\u001b[31ma"}');
  assert.deepEqual(problems, ['h:1:14: " [31ma" is not a host name (one entry for each host, no ranges)']);
});

test('a column counts characters, also those outside the basic plane', () => {
  assert.deepEqual(
    parse('{"10.0.0.1": "\u{20BB7}", "x": "a"}').problems[1],
    'h:1:19: "x" is not an IP address (four numbers from 0 to 255, or IPv6)',
  );
});

const unread: [string, Record<string, string | Error>, string][] = [
  [
    'a missing file',
    {},
    '/c/hosts.json: is missing: it registers the hosts of the pool (e.g. { "172.30.2.101": "c1" }; the whole example is packaging/config/hosts.json.example)',
  ],
  [
    'a missing file beside the example',
    { '/c/hosts.json.example': '{}' },
    '/c/hosts.json: is missing: it registers the hosts of the pool (copy /c/hosts.json.example and change it)',
  ],
  ['a file of somebody else', { '/c/hosts.json': failure('EACCES') }, '/c/hosts.json: may not be read by this user'],
  ['a folder', { '/c/hosts.json': failure('EISDIR') }, '/c/hosts.json: is a folder, not a file'],
];

for (const [what, files, problem] of unread) {
  test(`${what} is said in one line`, () => {
    const findings: Findings = { problems: [], notices: [] };
    const readFile = (path: string) => {
      const content = files[path] ?? failure('ENOENT');
      if (content instanceof Error) throw content;
      return content;
    };
    assert.equal(loadHosts('/c/hosts.json', { readFile }, findings), null);
    assert.deepEqual(findings.problems.map(sayProblem), [problem]);
  });
}

test('what JSON.parse accepts is accepted, and nothing else', () => {
  const json = fc.oneof(
    fc.json(),
    fc.string(),
    fc.json().map((text) => text.slice(0, -1)),
    fc.dictionary(fc.ipV4(), fc.stringMatching(/^[a-z]{3,9}$/)).map((pool) => JSON.stringify(pool)),
  );
  fuzz(
    fc.property(json, (text) => {
      let valid = true;
      try {
        JSON.parse(text);
      } catch {
        valid = false;
      }
      const findings: Findings = { problems: [], notices: [] };
      parseHosts('h', text, findings);
      const syntax = findings.problems.some((p) =>
        /expected here|expected after|not closed|should end|ends too early|is empty|one too many|missing after|means nothing|no comments/.test(
          p.message,
        ),
      );
      assert.equal(syntax, !valid, `${text} ${findings.problems.map(sayProblem)}`);
    }),
    { numRuns: 500 },
  );
});
