import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from './names.ts';

const known = ['POLL_INTERVAL', 'QUEUE_NAME', 'VC_NAME', 'CLOUD', 'MAX_NODES', 'MIN_NODES'];

const cases: [string, string | null][] = [
  ['POLL_INTERVALL', 'POLL_INTERVAL'],
  ['POLL_INTREVAL', 'POLL_INTERVAL'],
  ['POL_INTERVL', 'POLL_INTERVAL'],
  ['poll_interval', 'POLL_INTERVAL'],
  ['PollInterval', 'POLL_INTERVAL'],
  ['poll-interval', 'POLL_INTERVAL'],
  ['MAXNODES', 'MAX_NODES'],
  ['MIX_NODES', 'MAX_NODES'],
  ['CLOUT', 'CLOUD'],
  ['CLOTH', null],
  ['PATH', null],
  ['HTTP_PROXY', null],
  ['P_INTERVAL', null],
  ['', null],
];

for (const [name, expected] of cases) {
  test(`${name || 'an empty name'} is taken for ${expected ?? 'nothing we know'}`, () => {
    assert.equal(nearest(name, known), expected);
  });
}
