/**
 * What we depend on: few packages, each pinned with its checksum, none that runs a program when it is installed, none
 * under a licence that a site could not live with; and no known hole, when the registry can be asked.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../src/lib/run.ts';

const root = join(import.meta.dirname, '..');
const LOCKS = [
  'package-lock.json',
  'packaging/runtime/linux-x64/package-lock.json',
  'packaging/runtime/linux-arm64/package-lock.json',
];
/** Permissive ones only. */
const LICENCES = new Set(['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'MIT OR Apache-2.0']);

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
  readonly link?: boolean;
  readonly dev?: boolean;
}

/** What is wrong with one entry of a lock file; nothing when all is right. */
function faults(name: string, locked: Locked): string[] {
  const { version = '', integrity = '', license = '', resolved } = locked;
  return [
    ...(/^\d+\.\d+\.\d+[\w.+-]*$/.test(version) ? [] : ['no exact version']),
    ...(/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity) ? [] : ['no checksum']),
    ...(LICENCES.has(license) ? [] : [`licence ${license || 'unknown'}`]),
    ...(locked.hasInstallScript === true ? ['runs a program when it is installed'] : []),
    ...(locked.link === true || (resolved !== undefined && !resolved.startsWith('https://'))
      ? ['does not come from a registry']
      : []),
  ].map((what) => `${name}: ${what}`);
}

for (const file of LOCKS) {
  test(`${file}: every package is pinned, checked, free of install scripts and under a permissive licence`, () => {
    const { packages, lockfileVersion } = JSON.parse(readFileSync(join(root, file), 'utf8')) as {
      packages: Record<string, Locked>;
      lockfileVersion: number;
    };
    assert.equal(lockfileVersion, 3);
    const entries = Object.entries(packages).filter(([name]) => name !== '');
    assert.ok(entries.length > 0);
    assert.deepEqual(
      entries.flatMap(([name, locked]) => faults(name, locked)),
      [],
    );
  });
}

test('the rules find what they are for', () => {
  const good = { version: '1.2.3', integrity: `sha512-${'A'.repeat(86)}==`, license: 'MIT' };
  assert.deepEqual(faults('a', good), []);
  assert.deepEqual(faults('a', { ...good, version: '^1.2.3' }), ['a: no exact version']);
  assert.deepEqual(faults('a', { ...good, integrity: 'sha1-x' }), ['a: no checksum']);
  assert.deepEqual(faults('a', { ...good, license: 'GPL-3.0' }), ['a: licence GPL-3.0']);
  assert.deepEqual(faults('a', { ...good, hasInstallScript: true }), ['a: runs a program when it is installed']);
  assert.deepEqual(faults('a', { ...good, resolved: 'git+ssh://x' }), ['a: does not come from a registry']);
});

test('package.json names exact versions only, and few of them', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    assert.match(version, /^\d+\.\d+\.\d+$/, name);
  }
  const locked = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const shipped = Object.entries(locked.packages).filter(([name, { dev }]) => name !== '' && dev !== true);
  assert.ok(shipped.length <= 60, `${shipped.length} packages are shipped`);
});

test('the launcher installs by the lock file, and without install scripts', () => {
  const launcher = readFileSync(join(root, 'hybrid-cloud'), 'utf8');
  assert.match(launcher, /npm ci .*--ignore-scripts/);
  assert.doesNotMatch(launcher, /npm (install|i|update) /);
});

test('no shipped package has a hole the registry knows of', async (t) => {
  const command = ['npm', 'audit', '--omit=dev', '--json', '--fetch-retries=0', '--fetch-timeout=20000'];
  const result = await run(command, { cwd: root, timeout: 60_000 });
  const answer = audit(result.stdout);
  if (answer === null) {
    t.skip('not applicable: the registry was not reached, or answers no audits; the lock files were checked');
    return;
  }
  assert.deepEqual(answer, []);
});

/** Package and severity of each hole; null when there is no answer to believe. */
function audit(output: string): string[] | null {
  try {
    const { vulnerabilities } = JSON.parse(output) as { vulnerabilities?: Record<string, { severity: string }> };
    if (vulnerabilities === undefined) return null;
    return Object.entries(vulnerabilities).map(([name, { severity }]) => `${name}: ${severity}`);
  } catch {
    return null;
  }
}
