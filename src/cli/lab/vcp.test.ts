import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type VcpSeen, vcpChecks } from './vcp.ts';

const LEASES = ['hc-000000000001', 'hc-000000000002'];

/** Two machines that came and went as they should. */
function good(): VcpSeen {
  const unit = (n: number) => `hc-c${n}-00000000000${n}`;
  const call = (name: string, ...args: string[]) => JSON.stringify({ at: 1, pid: 2, call: name, with: { args } });
  return {
    left: [],
    calls: [
      call('_enter'),
      ...[1, 2].flatMap((n) => [call('create_unit', unit(n), '<spec>'), call('delete_units', unit(n))]),
    ],
    runs: ['run --rm --interactive vcpsdk:20.10.0 -u helper.py'],
    lives: LEASES.map((lease, i) => ({
      id: `vm-${i + 1}`,
      host: `c${i + 1}`,
      lease,
      createdAt: 1,
      runningAt: 2,
      failedAt: null,
      deletedAt: 3,
      goneAt: 4,
    })),
  };
}

function failed(change: (seen: VcpSeen) => Partial<VcpSeen>): string[] {
  const seen = good();
  return vcpChecks({ ...seen, ...change(seen) }).flatMap(({ name, ok, seen: saw }) => (ok ? [] : [`${name}: ${saw}`]));
}

const without = (name: string, text: string) => (seen: VcpSeen) => ({
  calls: seen.calls.filter((line) => !(line.includes(name) && line.includes(text))),
});

test('all is well when each machine was a Unit that came and went through the SDK in its container', () => {
  assert.deepEqual(
    failed(() => ({})),
    [],
  );
});

const wrong: readonly [string, (seen: VcpSeen) => Partial<VcpSeen>, RegExp][] = [
  ['no container was run', () => ({ runs: [] }), /^the SDK ran in its container: no container was run$/],
  ['a machine nobody asked the SDK for', without('create_unit', 'c2'), /: not asked for: hc-c2-000000000002$/],
  ['a machine that went without its Unit', without('delete_units', 'c1'), /: not deleted: hc-c1-000000000001$/],
  ['a Unit that stays', () => ({ left: ['hc-c1-000000000001'] }), /no Unit left: it has hc-c1-000000000001$/],
];
for (const [what, change, says] of wrong) {
  test(`${what} is told`, () => {
    const lines = failed(change);
    assert.equal(lines.length, 1, lines.join('; '));
    assert.match(lines[0] ?? '', says);
  });
}

test('no machine at all is no success', () => {
  assert.equal(failed(() => ({ lives: [] })).length, 2);
});
