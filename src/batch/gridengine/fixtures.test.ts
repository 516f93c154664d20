/** Every recording means what the table beside it says, and no recording is left out. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { BATCH_ERRORS, BatchError } from '../../domain/errors.ts';
import { parseConfig, parseResources, parseRule } from './cell.ts';
import { failureOf } from './command.ts';
import { readDetails } from './details.ts';
import { fixture, fixtureNames, gridEngineOf, scene, toResult } from './fixtures/replay.ts';
import { sayStatus } from './fixtures/say.ts';
import { readAll } from './records.ts';
import { readSight } from './witness.ts';

const used = new Set<string>();
const read = (name: string): string => {
  used.add(name);
  return fixture(name);
};

const expected = new Map(
  readFileSync(join(import.meta.dirname, 'fixtures/expected.txt'), 'utf8')
    .split(/^# /m)
    .slice(1)
    .map((section): [string, string[]] => {
      const [name = '', ...lines] = section.trimEnd().split('\n');
      return [name, lines];
    }),
);
const moments = fixtureNames().flatMap((name) => /^(.*)-qstat-f-xml-r\.xml$/.exec(name)?.[1] ?? []);

test('the table has every recorded moment', () => {
  assert.deepEqual([...expected.keys()].sort(), [...moments].sort());
});

for (const moment of moments) {
  test(`${moment}: means what the table says`, async () => {
    used.add(`${moment}-qstat-f-xml-r.xml`).add(`${moment}-qhost-xml-q-j.xml`);
    const hosts = moment === 'marks' ? ['c1', 'c2', 'c3', 'c4'] : ['g1', 'g2'];
    const { batch, commands } = gridEngineOf(scene(moment));
    assert.deepEqual(sayStatus(await batch.getStatus('cloud', hosts)), expected.get(moment));
    commands.length = 0;
    assert.deepEqual(sayStatus(await batch.getStatus('cloud', hosts)), expected.get(moment), 'the second time as well');
    assert.ok(commands.length <= 2, commands.join('\n'));
  });
}

test('every record of qstat -j is read: its number, and the times and limits it has', () => {
  const found = new Map<string, ReturnType<typeof readDetails>>();
  for (const name of fixtureNames()) if (/-qstat-j-xml-/.test(name)) found.set(name, readDetails(read(name)));
  for (const [name, details] of found) {
    const number = /-(\d+)\.xml$/.exec(name)?.[1];
    assert.equal(details.size, 1, name);
    if (number !== undefined) assert.ok(details.has(number), name);
    for (const detail of details.values()) assert.ok((detail.submittedAt ?? 0) > 1_795_000_000_000, name);
  }
  const all = [...found].flatMap(([name, details]) =>
    [...details].map(([number, detail]) => ({ name, number, detail })),
  );
  const limited = all.filter(({ detail }) => detail.taskLimit !== null);
  assert.deepEqual(
    limited.map(({ number, detail }) => [number, detail.taskLimit]),
    [
      ['30', 2],
      ['6', 2],
    ],
  );
  const late = all.filter(({ detail }) => detail.notBefore !== null).map(({ number }) => number);
  assert.deepEqual([...new Set(late)].sort(), ['28', '7', '96']);
  const quota = all.find(({ name }) => name.startsWith('quota'))?.detail.messages ?? [];
  assert.match(quota.join(), /exceeds limit "hpcuser\/+" in rule/);
  assert.equal(readDetails(read('unknown-qstat-j-xml.xml')).size, 0);
});

test('other forms of qstat -f and qhost are read too', () => {
  const ke = readAll(read('allke-qstat-f-xml.xml'));
  assert.deepEqual(
    ke.instances.map(({ host, state }) => [host, state]),
    [
      ['g1', 'u'],
      ['g2', 'u'],
    ],
  );
  const full = readAll(read('show-qstat-F-xml.xml')).instances[0];
  assert.deepEqual(full?.resources.get('num_proc'), { kind: 'hl', value: '2' });
  const error = readAll(read('qerror-explain-E-xml.xml'));
  assert.deepEqual([error.instances[0]?.state, error.brokenInstances], ['E', []]);
  assert.deepEqual([...readSight(read('show-qhost-xml.xml')).keys()], ['g1', 'g2']);
  for (const name of fixtureNames()) if (name.endsWith('-qhost-xml-q-j.xml')) readSight(read(name));
});

test('configuration is read', () => {
  const resources = parseResources(read('run-pend-qconf-sc.txt'));
  assert.deepEqual(resources.get('mem_free'), { type: 'MEMORY', relation: '<=', counted: 'no', fallback: '0' });
  assert.deepEqual(resources.get('slots')?.counted, 'slot');
  const marks = parseResources(read('marks-qconf-sc.txt'));
  assert.deepEqual([marks.get('exclusive')?.relation, marks.get('gpu')?.counted], ['EXCL', 'slot']);
  assert.equal(parseConfig(read('run-pend-qconf-sq-cloud.txt')).get('pe_list'), 'smp mpi rr node2 node1');
  assert.equal(parseConfig(read('marks-qconf-sq-cloud.txt')).get('slots'), '4');
  const rules = ['smp', 'mpi', 'rr', 'node2'].map((name) =>
    parseRule(parseConfig(read(`run-pend-qconf-sp-${name}.txt`)).get('allocation_rule') ?? ''),
  );
  assert.deepEqual(rules, ['one-host', 'any', 'any', 2]);
});

/** What each recorded message is: fine, or a kind of error. */
const MESSAGES: readonly (readonly [RegExp, keyof typeof BATCH_ERRORS | 'fine'])[] = [
  [/^version-/, 'fine'],
  [/^(susp|qerror)-qmod/, 'fine'],
  [/^disable-qmod-d(-again|-glob)?$/, 'fine'],
  [/^enable-/, 'fine'],
  [/^disable-qmod-d-unknown/, 'refused'],
  [/^disable-qmod-d-user$/, 'permission'],
  [/^perm-/, 'permission'],
  [/^unknown-qconf-sq$/, 'no-queue'],
  [/^unknown-/, 'refused'],
  [/^qmdown-qconf-km$/, 'fine'],
  [/^qm(down|unreach|unres)-/, 'silent'],
];

test('every recorded message is understood', () => {
  const entries = read('messages.txt').split(/^== /m).slice(1);
  assert.ok(entries.length > 30);
  for (const entry of entries) {
    const [head = '', ...lines] = entry.trimEnd().split('\n');
    const [name = '', command = '', code = ''] = head.split(' | ');
    const text = (mark: string): string =>
      lines.flatMap((line) => (line.startsWith(`${mark} `) ? `${line.slice(2)}\n` : [])).join('');
    const result = toResult(command.split(' '), { code: Number(code), stdout: text('1'), stderr: text('2') });
    const kind = MESSAGES.find(([pattern]) => pattern.test(name))?.[1];
    assert.equal(failureOf(result)?.kind ?? 'fine', kind, head);
  }
});

test('hints say what to type', () => {
  const hint = (stderr: string, name = 'qconf'): string =>
    (failureOf(toResult([name], { code: 1, stderr })) as BatchError).hint;
  assert.match(hint('denied: "hpcuser" must be manager for this operation\n'), /qconf -am USER/);
  assert.match(hint('hpcuser - you have no permission to modify queue "cloud@g1"\n', 'qmod'), /qconf -ao USER/);
  assert.match(hint('denied: host "x" is no admin host\n'), /qconf -ah HOST/);
  assert.match(hint('error: commlib error: got select error (Connection refused)\n'), /sge_qmaster running/);
  assert.match(hint('can\'t open "/x/act_qmaster" for reading qmaster hostname\n'), /SGE_ROOT/);
});

test('no recording is left out', () => {
  assert.deepEqual(
    fixtureNames().filter((name) => !used.has(name)),
    [],
  );
});
