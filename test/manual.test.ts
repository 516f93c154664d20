/**
 * The manual keeps up with the program: every option stands in it with its true default, in both languages, its links
 * lead somewhere, and its example of a CLOUD_COMMAND works.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { batchFamilies } from '../src/batch/registry.ts';
import { bootstrapKinds } from '../src/bootstrap/registry.ts';
import { makeCommandCloud } from '../src/cloud/command/command.ts';
import { cloudKinds } from '../src/cloud/registry.ts';
import { knownKeys } from '../src/config/known.ts';
import { ownOptions } from '../src/config/options.ts';
import { CLOUD_ERRORS } from '../src/domain/errors.ts';
import { HOST_STATES } from '../src/domain/lifecycle.ts';
import { systemClock } from '../src/lib/clock.ts';
import { quietLog } from '../src/lib/log.ts';
import type { Option } from '../src/lib/option.ts';
import { run } from '../src/lib/run.ts';

const root = join(import.meta.dirname, '..');
const MANUALS = ['docs/manual.md', 'docs/manual.ja.md'];
const PAGES = ['README.md', 'README.ja.md', ...MANUALS];
const registries = { batch: batchFamilies, cloud: cloudKinds, bootstrap: bootstrapKinds };

const parts = [...Object.values(batchFamilies), ...Object.values(cloudKinds), ...Object.values(bootstrapKinds)];
const options: readonly Option[] = [...ownOptions, ...parts.flatMap((part) => part.options)];

for (const page of MANUALS) {
  test(`${page} has every option with its default`, () => {
    const rows = rowsOf(read(page));
    for (const key of knownKeys(registries).all) assert.ok(rows.has(key), `${key} is missing in ${page}`);
    for (const { key, fallback } of options) {
      const said = fallback === undefined || fallback === '' ? '–' : `\`${fallback}\``;
      assert.equal(rows.get(key), said, `${key} in ${page}`);
    }
  });

  test(`${page} has no option that the program has not`, () => {
    const source = sources(join(root, 'src')).join('\n');
    for (const key of rowsOf(read(page)).keys()) assert.ok(source.includes(`'${key}'`), `${key} in ${page}`);
  });

  test(`${page} has every state of a host and every kind of a cloud's error`, () => {
    const text = read(page);
    for (const word of [...HOST_STATES, ...CLOUD_ERRORS]) assert.ok(text.includes(`\`${word}\``), word);
  });
}

test('both languages have the same headings, code and tables', () => {
  for (const [english, japanese] of [PAGES.slice(0, 2), PAGES.slice(2)] as [string, string][]) {
    const [a, b] = [shape(read(english)), shape(read(japanese))];
    assert.deepEqual(b, a, `${japanese} is another page than ${english}`);
  }
});

for (const page of PAGES) {
  test(`every link of ${page} leads somewhere`, () => {
    for (const [, target = ''] of withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      assert.ok(existsSync(join(root, file)), `${target} in ${page}`);
      if (anchor !== undefined) assert.ok(anchors(read(file)).includes(anchor), `#${anchor} in ${page}`);
    }
  });
}

test("the manual's CLOUD_COMMAND is the same in both languages and does what the protocol says", async (t) => {
  const python = await run(['python3', '--version'], { timeout: 10_000 });
  if (python.code !== 0) {
    t.skip('not applicable: the example is in Python, and there is no python3');
    return;
  }
  const [program, other] = MANUALS.map((page) => /```python\n(.*?)```/s.exec(read(page))?.[1] ?? '');
  assert.equal(other, program);
  const folder = mkdtempSync(join(tmpdir(), 'hc-manual-'));
  try {
    const file = join(folder, 'our-cloud');
    writeFileSync(file, program ?? '', { mode: 0o755 });
    const values = { CLOUD_COMMAND: [file, join(folder, 'store')], CLOUD_TIMEOUT: 20_000 };
    const cloud = makeCommandCloud(values, { run, clock: systemClock, log: quietLog, pool: { name: 'cloud' } });
    const lease = { name: 'c1', ip: '172.30.2.101', lease: 'hc-3b9e292ecf82' };
    const [first] = await cloud.create([lease]);
    const [again] = await cloud.create([lease]);
    assert.deepEqual([first?.error, first?.id], [null, 'vm-hc-3b9e292ecf82']);
    assert.deepEqual(again, first, 'the same lease twice makes one machine');
    const listed = await cloud.list();
    assert.deepEqual(
      listed.map(({ host, ip, state, lease: kept }) => [host, ip, state, kept]),
      [['c1', '172.30.2.101', 'running', 'hc-3b9e292ecf82']],
    );
    assert.deepEqual(await cloud.delete(listed), [{ host: 'c1', error: null }]);
    assert.deepEqual(await cloud.delete(listed), [{ host: 'c1', error: null }], 'gone already is success');
    assert.deepEqual(await cloud.list(), []);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function read(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

/** Key to default, from the lines of the tables of variables: `| KEY | default | meaning |`. */
function rowsOf(text: string): ReadonlyMap<string, string> {
  const rows = [...text.matchAll(/^\| `([A-Z][A-Z0-9_]*)` *\| ([^|]+?) *\| [^|]+ \|$/gm)];
  return new Map(rows.map(([, key = '', said = '']) => [key, said.trim()]));
}

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8'));
}

/** What must be equal whatever the language: levels of headings, code that is no comment, rows of tables. */
function shape(text: string): object {
  const code = [...text.matchAll(/```[a-z]*\n(.*?)```/gs)].map((found) =>
    (found[1] ?? '').replaceAll(/ {2,}# .*/g, ''),
  );
  const plain = withoutCode(text);
  const headings = [...plain.matchAll(/^(#+) /gm)].map((found) => found[1]);
  const rows = [...plain.matchAll(/^\|.*\|$/gm)].map((found) => found[0].split('|').length);
  return { code, headings, rows };
}

function withoutCode(text: string): string {
  return text.replaceAll(/```.*?```/gs, '');
}

/** As GitHub makes them: small letters, no punctuation, blanks become dashes. */
function anchors(text: string): readonly string[] {
  return [...withoutCode(text).matchAll(/^#+ (.*)$/gm)].map((found) =>
    (found[1] ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}
