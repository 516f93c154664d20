import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from './folder.ts';

test('it makes all that is missing, with the mode, and is content with what is there', (t) => {
  const top = mkdtempSync(join(tmpdir(), 'hc-folder-'));
  t.after(() => rmSync(top, { recursive: true }));
  makeFolder(join(top, 'a/b'), 0o700);
  makeFolder(join(top, 'a/b'), 0o755);
  assert.equal(statSync(join(top, 'a/b')).mode & 0o777, 0o700);
});

test('where nothing can be made it says so instead of trying for ever', (t) => {
  assert.throws(() => makeFolder('/proc/nothing/here', 0o700), /ENOENT|EACCES|EPERM/);
  const top = mkdtempSync(join(tmpdir(), 'hc-folder-'));
  t.after(() => rmSync(top, { recursive: true }));
  writeFileSync(join(top, 'file'), '');
  assert.throws(() => makeFolder(join(top, 'file/below'), 0o700), /ENOTDIR|EEXIST/);
});
