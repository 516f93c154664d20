/**
 * Whatever is asked of the API: an answer in JSON that is no defect of ours, and nothing reaches the controller but
 * hosts that there are and names that are names.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fuzz } from '../../test/support/fuzz.ts';
import { spoil, spoiling } from '../../test/support/spoil.ts';
import { manualClock } from '../lib/clock.ts';
import { quietLog } from '../lib/log.ts';
import { makeApi } from './api.ts';
import { fakeControl } from './fake-control.ts';

const RUNS = 3000;
/** POST is what changes something: often enough that it is seen to. */
const METHODS = ['GET', 'POST', 'POST', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'];
const TOLD =
  /^(hold|drain) (c1|c2) by [A-Za-z0-9_][A-Za-z0-9._@\\-]{0,63}$|^release (c1|c2|everything) by [A-Za-z0-9_][A-Za-z0-9._@\\-]{0,63}$|^cleanup by [A-Za-z0-9_][A-Za-z0-9._@\\-]{0,63}$|^poke$/;

const word = fc.oneof(
  fc.constantFrom('c1', 'c2', 'c3', '18', '18_[4-9%2]', '..', '%2e%2e', '%00', '%', 'c1;reboot', '\u001b[31m', ''),
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 10 }),
);
const path = fc.oneof(
  fc.constantFrom('/version', '/status', '/nodes', '/jobs', '/plan', '/events', '/poke', '/cleanup', '/release'),
  fc
    .tuple(fc.constantFrom('hold', 'drain', 'explain', 'release', 'events', ''), word)
    .map(([call, one]) => `/${call}/${one}`),
  fc.webPath(),
);
const value = fc.oneof(
  fc.constantFrom('0', '1', '-1', '1e9', '999999999999999', 'NaN', ''),
  fc.string({ maxLength: 8 }),
);
const query = fc.dictionary(fc.constantFrom('limit', 'after', 'x'), value, { maxKeys: 3 });
const body = fc.oneof(
  fc.constant('{"by":"taro"}'),
  fc.constant('{"by":"taro","host":"c1"}'),
  fc.json(),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constant('['.repeat(3000)),
  fc.constant(`{"by":"${'x'.repeat(5000)}"}`),
  spoiling.map((hits) => spoil('{"by":"taro","host":"c2"}', hits)),
);

for (const may of ['read', 'all'] as const) {
  test(`requests of every kind to the ${may === 'read' ? 'public' : 'admin'} socket`, async () => {
    let [fine, changed] = [0, 0];
    const control = fakeControl();
    const api = makeApi({ control, may, stop: AbortSignal.abort(), clock: manualClock(), log: quietLog });
    const ask = async (method: string, where: string, asked: Record<string, string>, text: string) => {
      let request: Request;
      try {
        const url = `http://api${where}?${new URLSearchParams(asked)}`;
        request = new Request(url, method === 'GET' || method === 'HEAD' ? { method } : { method, body: text });
      } catch {
        return; // no HTTP client can send this
      }
      const before = control.told.length;
      const response = await api.fetch(request);
      assert.ok([200, 400, 403, 404, 409, 503].includes(response.status), `${method} ${where}: ${response.status}`);
      const answer = await response.text();
      if (method !== 'HEAD') JSON.parse(answer);
      if (response.status === 200) fine++;
      const told = control.told.slice(before);
      if (told.length > 0) changed++;
      for (const one of told) assert.match(one, TOLD);
      if (may === 'read')
        assert.ok(
          told.every((one) => one === 'poke'),
          told.join(),
        );
    };
    await fuzz(fc.asyncProperty(fc.constantFrom(...METHODS), path, query, body, ask), { numRuns: RUNS });
    assert.ok(fine > RUNS / 50, `${fine} were answered`);
    if (may === 'all') assert.ok(changed > RUNS / 200, `${changed} changed something`);
  });
}
