/**
 * The recovery times in docs/reliability.md are those of this program: `node bench/recovery.ts` prints them anew.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { recoveryTable } from './recovery.ts';

test('docs/reliability.md tells the recovery times of this version', async () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/reliability.md'), 'utf8');
  assert.ok(
    text.includes(await recoveryTable()),
    'run `node bench/recovery.ts` and put its table into docs/reliability.md',
  );
});
