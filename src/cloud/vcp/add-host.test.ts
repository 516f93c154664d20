import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { emulated } from '../../../test/vcp-emulator/emulated.ts';
import { addHostLines, addHostRemarks } from './add-host.ts';

const HOSTS = [
  { name: 'c1', ip: '172.30.2.101' },
  { name: 'c2', ip: '172.30.2.102' },
];
const yaml = (...lines: string[]) =>
  `vcc:\n    host: x\nspec_options:\n    add_host:\n${lines.map((line) => `        - ${line}\n`).join('')}`;
const GOOD = yaml('"master:172.30.2.194"', '"c1:172.30.2.101"', 'c2:172.30.2.102');
const read = (lines: readonly string[]) => (parse(lines.join('\n')) as ReturnType<typeof parse>).spec_options.add_host;

describe('the list that is printed', () => {
  test('keeps what is there for others and brings all registered hosts', () => {
    const text = yaml('"master:172.30.2.194"', '"c1:10.9.9.9"', 'login:172.30.2.195');
    assert.deepEqual(read(addHostLines(text, HOSTS)), [
      'master:172.30.2.194',
      'login:172.30.2.195',
      'c1:172.30.2.101',
      'c2:172.30.2.102',
    ]);
  });
  for (const [what, text] of [
    ['no file', null],
    ['no list', 'vcc:\n    host: x\n'],
    ['a file that is no YAML', 'vcc:\n\thost: x\n'],
  ] as const) {
    test(`${what}: the registered hosts`, () => {
      assert.deepEqual(read(addHostLines(text, HOSTS)), ['c1:172.30.2.101', 'c2:172.30.2.102']);
    });
  }
  test('is what the check is content with', () => {
    const printed = addHostLines(yaml('"master:172.30.2.194"'), HOSTS).join('\n');
    assert.deepEqual(addHostRemarks(printed, 'f', HOSTS, true), []);
  });
});

describe('what is there is compared with hosts.json', () => {
  const table: readonly [string, string, readonly (readonly [boolean, RegExp, RegExp])[]][] = [
    ['a good list', GOOD, []],
    [
      'another address',
      GOOD.replace('2.102', '2.202'),
      [[true, /^f: add_host has c2:172\.30\.2\.202, hosts\.json has 172\.30\.2\.102 for c2$/, /render add-host/]],
    ],
    [
      'the wrong way round, as in hosts.json',
      yaml('master:172.30.2.194', '172.30.2.101:c1', 'c2:172.30.2.102'),
      [
        [true, /add_host has "172\.30\.2\.101:c1"/, /write c1:172\.30\.2\.101/],
        [false, /lacks 1 host: c1/, /./],
      ],
    ],
    [
      'a blank behind the colon',
      yaml('master:172.30.2.194', 'c1: 172.30.2.101', 'c2:172.30.2.102'),
      [
        [true, /add_host has "\{/, /NAME:ADDRESS/],
        [false, /lacks 1 host: c1/, /./],
      ],
    ],
    [
      'hosts are missing',
      yaml('master:172.30.2.194'),
      [[false, /lacks 2 hosts: c1 and c2/, /render add-host .*spec_options\.dns/]],
    ],
    ['no head node', yaml('c1:172.30.2.101', 'c2:172.30.2.102'), [[false, /does not name the head node/, /add/]]],
    ['no list of lines', 'spec_options:\n    add_host: c1\n', [[true, /add_host is no list/, /render add-host/]]],
    [
      'hosts are missing, and a name server may know them',
      yaml('x:1.2.3.4').replace('    add', '    dns: [1.2.3.5]\n    add'),
      [[false, /lacks 2 hosts/, /whole list$/]],
    ],
  ];
  for (const [what, text, expected] of table) {
    test(what, () => {
      const remarks = addHostRemarks(text, 'f', HOSTS, true);
      assert.equal(remarks.length, expected.length, JSON.stringify(remarks));
      for (const [at, [isWrong, says, hint]] of expected.entries()) {
        assert.equal(remarks[at]?.wrong, isWrong);
        assert.match(remarks[at]?.text ?? '', says);
        assert.match(remarks[at]?.hint ?? '', hint);
      }
    });
  }
  test('one address in two spellings is one address', () => {
    const hosts = [{ name: 'v1', ip: 'fd00::1' }];
    assert.deepEqual(addHostRemarks(yaml('master:fd00::2', 'v1:fd00:0::1'), 'f', hosts, true), []);
  });
  test('a Unit brings its own list: only what is wrong here is told', () => {
    assert.deepEqual(addHostRemarks(yaml('c1:172.30.2.101'), 'f', HOSTS, false), []);
    assert.equal(addHostRemarks(yaml('c1:172.30.2.9'), 'f', HOSTS, false).length, 1);
  });
});

describe('check tells it besides', { timeout: 60_000 }, () => {
  test('also when the cloud does not answer', async () => {
    await using world = await emulated();
    const remarks = (await world.cloud.remarks?.()) ?? [];
    assert.equal(remarks.length, 1);
    assert.match(remarks[0]?.text ?? '', /vcp_config\.yml: add_host lacks 3 hosts: c2, c3 and c4$/);
    assert.deepEqual(await world.calls(), [], 'nobody was asked');
  });
  test('settings of the second generation that nothing reads are named', async () => {
    await using world = await emulated({
      mode: 'unit',
      values: { VC_PROVIDER: 'onpremises', VC_IMAGE: 'i', VC_FLAVOR: '', MDX_PACK_NUM: '3', MDX_USER_NAME: 'u' },
    });
    const remarks = (await world.cloud.remarks?.()) ?? [];
    assert.deepEqual(
      remarks.filter(({ text }) => text.includes('not used')).map(({ text, wrong }) => [text, wrong]),
      [
        ["2 settings are not used, the Unit's own specification counts: VC_PROVIDER and VC_IMAGE", false],
        ['2 settings are not used, this version does not make mdx machines: MDX_PACK_NUM and MDX_USER_NAME', false],
      ],
    );
    const spec = world.again({ mode: 'spec', values: { MDX_USER_NAME: 'u' } });
    assert.deepEqual(
      (await spec.remarks?.())?.filter(({ text }) => text.includes('not used')),
      [],
    );
  });
});
