/** Trouble with the controller, told as stories: the real Python side, the emulated SDK behind it. */
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Emulated, type EmulatedOptions, emulated, HOSTS, TOKEN } from '../../../test/vcp-emulator/emulated.ts';
import { CloudError, sayError } from '../../domain/errors.ts';
import type { Machine } from '../../domain/machine.ts';
import type { Cloud, Lease } from '../cloud.ts';

const lease = (n: number, tail = 'aaaaaaaaaaa'): Lease => ({
  name: `c${n}`,
  ip: `10.77.0.10${n}`,
  lease: `hc-${n}${tail}`,
});
const [c1, c2, c3, c4] = [lease(1), lease(2), lease(3), lease(4)];

async function fails(promise: Promise<unknown>): Promise<CloudError> {
  const error: unknown = await promise.then(
    () => null,
    (thrown) => thrown,
  );
  assert.ok(error instanceof CloudError, `a CloudError, not ${error}`);
  return error;
}

async function only(cloud: Cloud, host: string): Promise<Machine> {
  const found = (await cloud.list()).filter((machine) => machine.host === host);
  assert.equal(found.length, 1, `one machine of ${host}`);
  return found[0] ?? assert.fail();
}

/** Each story has a world of its own, and waits most of its time for its Python side. */
const SIDE_BY_SIDE = { concurrency: 3 };

function story(title: string, options: EmulatedOptions, body: (world: Emulated) => Promise<void>): void {
  test(title, { timeout: 60_000 }, async () => {
    await using world = await emulated(options);
    await body(world);
  });
}

describe('what the SDK is asked for in spec mode', SIDE_BY_SIDE, () => {
  story('one Unit with one node, the registered address, host name, image and our key', {}, async (world) => {
    await writeFile(join(world.configDir, 'node.env'), 'MUNGE_KEY=bXVuZ2Uta2V5LW9mLXRoZS1zaXRl\n');
    const cloud = world.again({ values: { VCP_NODE_ENV: 'node.env' } });
    const [outcome] = await cloud.create([c1]);
    assert.equal(outcome?.error, null);
    const { groups } = await world.state();
    const unit = groups.hybridcloud?.units['hc-c1-1aaaaaaaaaaa'];
    assert.deepEqual(
      unit?.nodes.map(({ ip }) => ip),
      ['10.77.0.101'],
    );
    const key = Buffer.from('ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA hybrid-cloud\n').toString('base64');
    assert.deepEqual(unit?.spec, {
      provider: 'aws',
      image: '10.0.0.1:5001/vcp/base:ubuntu18.04-slurm',
      hostname: 'c1',
      params_v: ['/var/lib/docker'],
      params_e: [`AUTHORIZED_KEYS=${key}`, 'MUNGE_KEY=bXVuZ2Uta2V5LW9mLXRoZS1zaXRl'],
      add_host: ['master:10.77.0.1', 'c1:10.77.0.101'],
      user_name: null,
    });
  });

  story(
    'creates are asked one after another and never wait; boots go side by side',
    { behaviour: { held: true } },
    async (world) => {
      await world.cloud.create([c1, c2, c3, c4]);
      const calls = await world.calls('create_unit');
      assert.deepEqual(
        calls.map((call) => call.with.wait_for),
        ['False', 'False', 'False', 'False'],
      );
      assert.deepEqual(
        (await world.cloud.list()).map(({ host, state, lease, since }) => [host, state, lease, since !== null]),
        [c1, c2, c3, c4].map((one) => [one.name, 'starting', one.lease, true]),
      );
    },
  );

  story(
    'a list does not wait behind a create that hangs',
    { behaviour: { hang: ['create_unit'] } },
    async ({ cloud }) => {
      const stop = new AbortController();
      const create = fails(cloud.create([c1], stop.signal));
      assert.deepEqual(await cloud.list(), []);
      assert.deepEqual(await cloud.list(), []);
      stop.abort();
      assert.equal((await create).kind, 'ambiguous');
    },
  );

  story('provider onpremises gets its login user', {}, async (world) => {
    await world.again({ values: { PROVIDER_NAME: 'onpremises', FLAVOR_NAME: 'default' } }).create([c1]);
    const { groups } = await world.state();
    assert.equal(groups.hybridcloud?.units['hc-c1-1aaaaaaaaaaa']?.spec.user_name, 'mdxuser');
  });
});

describe('nothing is lost, nothing is doubled', SIDE_BY_SIDE, () => {
  story(
    'the Python side dies after the create was carried out: found again by name and address',
    { behaviour: { lose: ['create_unit'] } },
    async (world) => {
      const error = await fails(world.cloud.create([c1]));
      assert.equal(error.kind, 'ambiguous');
      const machine = await only(world.cloud, 'c1');
      assert.deepEqual([machine.id, machine.ip, machine.lease], ['hc-c1-1aaaaaaaaaaa', c1.ip, c1.lease]);
      assert.deepEqual(await world.cloud.create([c1]), [{ host: 'c1', id: machine.id, error: null }]);
      assert.equal((await world.calls('create_unit')).length, 1);
    },
  );

  story(
    'the connection breaks after the create was carried out: seen at once, and told as done',
    { behaviour: { break_off: ['create_unit'] } },
    async (world) => {
      assert.deepEqual(await world.cloud.create([c1]), [{ host: 'c1', id: 'hc-c1-1aaaaaaaaaaa', error: null }]);
      assert.equal((await world.cloud.list()).length, 1);
    },
  );

  story('the same in unit mode', { mode: 'unit', behaviour: { break_off: ['add_nodes'] } }, async (world) => {
    const [outcome] = await world.cloud.create([c2]);
    assert.equal(outcome?.error, null);
    assert.equal((await only(world.cloud, 'c2')).ip, c2.ip);
    assert.equal((await world.calls('add_nodes')).length, 1);
  });

  story(
    'a service that starts anew finds its machines with their leases',
    { behaviour: { boot: 30, late_address: true } },
    async (world) => {
      await world.cloud.create([c1, c2]);
      const next = world.again();
      assert.deepEqual(
        (await next.list()).map(({ host, ip, state, lease }) => ({ host, ip, state, lease })),
        [c1, c2].map((one) => ({ host: one.name, ip: one.ip, state: 'starting', lease: one.lease })),
      );
      const [again] = await next.create([c1]);
      assert.deepEqual(again, { host: 'c1', id: 'hc-c1-1aaaaaaaaaaa', error: null });
      const [other] = await next.create([{ ...c2, lease: 'hc-ffffffffffff' }]);
      assert.equal(other?.error?.kind, 'ip-in-use');
      assert.equal((await world.calls('create_unit')).length, 2);
    },
  );

  story(
    'unit mode: a node without an address yet stops further adds rather than being doubled',
    {
      mode: 'unit',
      behaviour: { boot: 30, late_address: true },
      values: { VCP_KEEP_HOSTS: [] },
    },
    async (world) => {
      await world.cloud.create([c2]);
      assert.equal((await only(world.cloud, 'c2')).state, 'starting');
      const next = world.again();
      assert.deepEqual(
        (await next.list()).map(({ host }) => host),
        ['compute', 'compute'],
        'nobody knows whose it is',
      );
      const [asked] = await next.create([c2]);
      assert.equal(asked?.error, null);
      assert.equal((await world.calls('add_nodes')).length, 1);
      await world.behave({ late_address: false });
      assert.equal((await next.list()).filter(({ host }) => host === 'c2').length, 1);
      await world.until('its turn came and it was found', async () => {
        const machines = await next.list();
        return machines.filter(({ host, message }) => host === 'c2' && message === '').length === 1;
      });
      assert.equal((await world.calls('add_nodes')).length, 1);
    },
  );

  story(
    'a release without find_units finds them by the leases that the journal has',
    { behaviour: { without: ['find_units'] } },
    async (world) => {
      await world.cloud.create([c1]);
      const next = world.again({
        hosts: () => HOSTS.map((host) => ({ ...host, lease: host.name === 'c1' ? c1.lease : null })),
      });
      const [machine] = await next.list();
      assert.deepEqual([machine?.id, machine?.lease], ['hc-c1-1aaaaaaaaaaa', c1.lease]);
      assert.deepEqual(await next.delete([machine ?? assert.fail()]), [{ host: 'c1', error: null }]);
      assert.deepEqual(await next.list(), []);
    },
  );

  story('a host that left hosts.json is still listed by its name', {}, async (world) => {
    await world.cloud.create([{ name: 'c9', ip: '10.77.0.109', lease: 'hc-999999999999' }]);
    const machine = await only(world.cloud, 'c9');
    assert.deepEqual([machine.host, machine.ip], ['c9', '10.77.0.109']);
    assert.equal((await world.cloud.delete([machine]))[0]?.error, null);
    assert.deepEqual(await world.cloud.list(), []);
  });
});

describe('a controller that changes one thing at a time', SIDE_BY_SIDE, () => {
  const serial = { boot: 0, serial: true };
  const held = { ...serial, held: true };
  for (const parallel of [true, false]) {
    story(
      `takes four creates in order and without an error (VCP_PARALLEL=${parallel ? 'yes' : 'no'})`,
      {
        behaviour: held,
        values: { VCP_PARALLEL: parallel },
      },
      async (world) => {
        const outcomes = await world.cloud.create([c1, c2, c3, c4]);
        assert.deepEqual(
          outcomes.map(({ error }) => error),
          [null, null, null, null],
        );
        const first = await world.cloud.list();
        assert.deepEqual(
          first.map(({ host, state }) => [host, state]),
          ['c1', 'c2', 'c3', 'c4'].map((host) => [host, 'starting']),
        );
        assert.match(first[3]?.message ?? '', /waits for its turn/);
        await world.behave(serial);
        await world.until('all run', async () => (await world.cloud.list()).every(({ state }) => state === 'running'));
        const { groups } = await world.state();
        assert.deepEqual(Object.keys(groups.hybridcloud?.units ?? {}), [
          'hc-c1-1aaaaaaaaaaa',
          'hc-c2-2aaaaaaaaaaa',
          'hc-c3-3aaaaaaaaaaa',
          'hc-c4-4aaaaaaaaaaa',
        ]);
        if (!parallel) assert.equal((await world.calls('create_unit')).length, 4, 'none was refused');
      },
    );
  }

  story(
    'takes deletes in their turn, too; meanwhile they are shown as stopping',
    { behaviour: serial },
    async (world) => {
      await world.cloud.create([c1]);
      await world.until('it runs', async () => (await world.cloud.list())[0]?.state === 'running');
      await world.behave(held);
      await world.cloud.create([c2]);
      const machine = await only(world.cloud, 'c1');
      assert.deepEqual(await world.cloud.delete([machine]), [{ host: 'c1', error: null }]);
      assert.equal((await only(world.cloud, 'c1')).state, 'stopping');
      await world.behave(serial);
      await world.until('only c2 is left', async () => {
        const machines = await world.cloud.list();
        return machines.length === 1 && machines[0]?.host === 'c2' && machines[0].state === 'running';
      });
    },
  );

  story('what waits and is no longer wanted is never asked for', { behaviour: held }, async (world) => {
    await world.cloud.create([c1, c2]);
    const waiting = await only(world.cloud, 'c2');
    await world.cloud.delete([waiting]);
    await world.behave(serial);
    await world.until('c1 runs alone', async () => {
      const machines = await world.cloud.list();
      return machines.length === 1 && machines[0]?.state === 'running';
    });
    await world.cloud.list();
    assert.deepEqual(
      (await world.cloud.list()).map(({ host }) => host),
      ['c1'],
    );
  });

  story('a refusal when the turn comes is heard by the next to ask', { behaviour: held }, async (world) => {
    await world.cloud.create([c1, c2]);
    await world.behave({ ...serial, refuse: { [c2.ip]: 'VcpuLimitExceeded: too many' } });
    await world.until('c2 is given up', async () => (await world.cloud.list()).every(({ host }) => host !== 'c2'));
    const [outcome] = await world.cloud.create([c2]);
    assert.equal(outcome?.error?.kind, 'quota');
  });
});

describe('what is not ours', SIDE_BY_SIDE, () => {
  const person = [
    'group = sdk.get_ugroup("hybridcloud")',
    'spec = sdk.get_spec("aws", "small")',
    'spec.ip_addresses = ["10.77.0.55"]',
    'group.create_unit("storage-of-taro", spec)',
  ];

  story('is shown with its own unit name and never touched', {}, async (world) => {
    await world.cloud.create([c1]);
    await world.person(...person);
    const machines = await world.cloud.list();
    const foreign = machines.find(({ host }) => host === 'storage-of-taro') ?? assert.fail();
    assert.deepEqual([foreign.ip, foreign.lease], ['10.77.0.55', null]);
    const [refused] = await world.cloud.delete([foreign]);
    assert.equal(refused?.error?.kind, 'config');
    assert.match(await world.cloud.check(), /has 1 machine of ours, 1 node of others, which are left alone$/);
    assert.equal((await world.cloud.list()).length, 2);
  });

  story('added to a unit of ours stays when ours goes', {}, async (world) => {
    await world.cloud.create([c1]);
    await world.person(
      'sdk.get_ugroup("hybridcloud").get_unit("hc-c1-1aaaaaaaaaaa").add_nodes(ip_addresses=["10.77.0.66"])',
    );
    const machine = await only(world.cloud, 'c1');
    assert.equal(machine.ip, c1.ip);
    await world.cloud.delete([machine]);
    const { groups } = await world.state();
    assert.deepEqual(
      groups.hybridcloud?.units['hc-c1-1aaaaaaaaaaa']?.nodes.map(({ ip }) => ip),
      ['10.77.0.66'],
    );
  });

  story('a unit of a person on a registered address is not ours to take', {}, async (world) => {
    await world.cloud.create([c2]);
    await world.person(...person.map((line) => line.replace('10.77.0.55', c1.ip)));
    const [outcome] = await world.cloud.create([c1]);
    assert.equal(outcome?.error?.kind, 'ip-in-use');
  });

  story(
    'classic: all are deleted with cleanup, and the group is made again when it is needed',
    { policy: 'classic' },
    async (world) => {
      await world.cloud.create([c1, c2]);
      await world.cloud.delete(await world.cloud.list());
      assert.equal((await world.calls('cleanup')).length, 1);
      assert.equal((await world.calls('delete_units')).length, 0);
      assert.deepEqual((await world.state()).groups, {});
      const [again] = await world.cloud.create([lease(1, 'bbbbbbbbbbb')]);
      assert.equal(again?.error, null);
    },
  );

  story(
    'classic: with anything foreign in the group, cleanup is never called',
    { policy: 'classic' },
    async (world) => {
      await world.cloud.create([c1, c2]);
      await world.person(...person);
      const ours = (await world.cloud.list()).filter(({ lease }) => lease !== null);
      const outcomes = await world.cloud.delete(ours);
      assert.deepEqual(
        outcomes.map(({ error }) => error),
        [null, null],
      );
      assert.equal((await world.calls('cleanup')).length, 0);
      assert.deepEqual(
        (await world.cloud.list()).map(({ host }) => host),
        ['storage-of-taro'],
      );
    },
  );

  story('demand never calls cleanup', {}, async (world) => {
    await world.cloud.create([c1]);
    await world.cloud.delete(await world.cloud.list());
    assert.equal((await world.calls('cleanup')).length, 0);
    assert.deepEqual(Object.keys((await world.state()).groups), ['hybridcloud']);
  });

  story('hosts built by hand are listed, and neither created nor deleted', { mode: 'unit' }, async (world) => {
    await world.person(`sdk.get_ugroup("OpenHPC").get_unit("compute").add_nodes(ip_addresses=["${c1.ip}"])`);
    const machine = await only(world.cloud, 'c1');
    assert.equal(machine.state, 'running');
    const [kept] = await world.cloud.delete([machine]);
    assert.match(sayError(kept?.error), /c1 is built by hand/);
    const [outcome] = await world.cloud.create([c1]);
    assert.equal(outcome?.error?.kind, 'ip-in-use', 'no kind that would stop the creation of all others');
    assert.equal((await world.calls('delete_nodes')).length, 0);
  });
});

describe('machines that fail', SIDE_BY_SIDE, () => {
  for (const state of ['CONTAINER_ERROR', 'HOST_ERROR', 'ERROR']) {
    story(
      `${state}: listed as failed with the cloud's words, deleted by force`,
      {
        behaviour: { boot_fails: { [c1.ip]: [state, 'InvalidClientTokenId: The security token is invalid'] } },
      },
      async (world) => {
        await world.cloud.create([c1]);
        const machine = await only(world.cloud, 'c1');
        assert.deepEqual([machine.state, machine.ip], ['failed', c1.ip]);
        assert.match(machine.message, /InvalidClientTokenId/);
        await world.cloud.delete([machine]);
        assert.deepEqual(await world.cloud.list(), []);
        const [call] = await world.calls('delete_units');
        assert.deepEqual([call?.with.force, call?.with.wait_for], ['True', 'False']);
      },
    );
  }

  story(
    'a creation that outlives every time limit is seen when it ends',
    { behaviour: { held: true } },
    async (world) => {
      await world.cloud.create([c1]);
      assert.equal((await only(world.cloud, 'c1')).state, 'starting');
      await world.behave({});
      await world.until('it runs', async () => (await only(world.cloud, 'c1')).state === 'running');
    },
  );

  for (const logs of [false, true]) {
    story(
      `a refusal that the SDK ${logs ? 'only logs' : 'raises'} is understood`,
      {
        behaviour: { logs_only: logs, refuse: { [c1.ip]: 'InsufficientInstanceCapacity: none left' } },
      },
      async (world) => {
        const [outcome] = await world.cloud.create([c1]);
        assert.equal(outcome?.error?.kind, 'capacity');
        assert.match(outcome?.error?.message ?? '', /InsufficientInstanceCapacity: none left/);
      },
    );
  }

  story(
    'the only node of a unit is deleted and the unit goes with it: the next add says what to do',
    {
      mode: 'unit',
      behaviour: { no_nodes_gone: true },
    },
    async (world) => {
      await world.person('sdk.get_ugroup("OpenHPC").get_unit("compute").delete_nodes()');
      const [outcome] = await world.cloud.create([c2]);
      assert.equal(outcome?.error?.kind, 'config');
      assert.match(outcome?.error?.message ?? '', /unit compute of OpenHPC does not exist/);
    },
  );
});

describe('an error is not an empty list', SIDE_BY_SIDE, () => {
  for (const logs of [false, true]) {
    for (const method of ['get_ugroup', 'find_units', 'find_nodes']) {
      story(`${method} ${logs ? 'logs an error and returns nothing' : 'raises'}`, {}, async (world) => {
        await world.cloud.create([c1]);
        await world.cloud.list();
        await world.behave({ logs_only: logs, fail: { [method]: 'down' } });
        assert.equal((await fails(world.cloud.list())).kind, 'temporary');
        await world.behave({});
        assert.equal((await world.cloud.list()).length, 1);
      });
    }
  }

  story(
    'the token is revoked in the middle: auth, and the machines are there again with a new one',
    {},
    async (world) => {
      await world.cloud.create([c1]);
      await world.behave({ token: 'a-new-token' });
      const error = await fails(world.cloud.list());
      assert.equal(error.kind, 'auth');
      assert.match(error.hint, /VCP_ACCESSKEY/);
      const next = world.again({ values: { VCP_ACCESSKEY: 'a-new-token' } });
      assert.equal((await next.list()).length, 1);
    },
  );

  story('the token is revoked while nodes are asked for: auth for each, and nothing was made', {}, async (world) => {
    await world.cloud.create([c1]);
    await world.behave({ fail: { create_unit: 'auth' } });
    const outcomes = await world.cloud.create([c2, c3]);
    assert.deepEqual(
      outcomes.map(({ error }) => error?.kind),
      ['auth', 'auth'],
    );
    assert.match(outcomes[0]?.error?.hint ?? '', /VCP_ACCESSKEY is wrong, expired or revoked/);
    await world.behave({});
    assert.deepEqual(
      (await world.cloud.list()).map(({ host }) => host),
      ['c1'],
    );
  });

  for (const logs of [false, true]) {
    story(
      `a Vault value is missing when the first node is asked for, and the SDK ${logs ? 'logs' : 'raises'} it`,
      { behaviour: { logs_only: logs, fail: { create_unit: 'vault' } } },
      async (world) => {
        const [outcome] = await world.cloud.create([c1]);
        assert.equal(outcome?.error?.kind, 'config', 'a kind that stops further creation');
        assert.match(sayError(outcome?.error), /no cloud credentials in its Vault.*store the values/);
      },
    );
  }

  story(
    'an address outside the network, where no release tells the network beforehand',
    { behaviour: { network: '172.30.2.0/24', without: ['get_vpn_catalog'] } },
    async (world) => {
      await world.cloud.check();
      const [outcome] = await world.cloud.create([c1]);
      assert.equal(outcome?.error?.kind, 'config');
      assert.match(sayError(outcome?.error), /hosts\.json must hold addresses/);
    },
  );

  story('the Python side is killed between two requests: another is started, nothing is lost', {}, async (world) => {
    await world.cloud.create([c1]);
    const pid = (await world.calls('create_unit'))[0]?.pid ?? assert.fail();
    process.kill(pid, 'SIGKILL');
    await world.until('it answers again', async () => {
      const machines = await world.cloud.list().catch(() => []);
      return machines.length === 1 && machines[0]?.lease === c1.lease;
    });
    const [again] = await world.cloud.create([c1]);
    assert.equal(again?.error, null);
    const pids = new Set((await world.calls()).map((call) => call.pid));
    assert.equal(pids.size, 2);
    assert.equal((await world.calls('create_unit')).length, 1);
  });

  story(
    'the controller restarts while nodes are asked for: the same lease again makes one machine',
    {},
    async (world) => {
      await world.behave({ fail: { get_ugroup: 'down' } });
      const asked = await world.cloud.create([c1, c2]);
      assert.deepEqual(
        asked.map(({ error }) => error?.kind),
        ['temporary', 'temporary'],
      );
      await world.behave({});
      const again = await world.cloud.create([c1, c2]);
      assert.deepEqual(
        again.map(({ error }) => error),
        [null, null],
      );
      assert.equal((await world.calls('create_unit')).length, 2);
    },
  );

  for (const mode of ['spec', 'unit'] as const) {
    story(`a host is blocked until its old VC node is proven gone (${mode} mode)`, { mode }, async (world) => {
      await world.cloud.create([c2]);
      await world.behave({ held: true });
      await world.cloud.delete([await only(world.cloud, 'c2')]);
      assert.equal((await only(world.cloud, 'c2')).state, 'stopping', 'it is still listed, so nobody takes the host');
      const next = lease(2, 'bbbbbbbbbbb');
      const [refused] = await world.cloud.create([next]);
      assert.equal(refused?.error?.kind, 'ip-in-use', 'nor would the address be had');
      await world.behave({});
      await world.until('it is gone', async () => (await world.cloud.list()).every(({ host }) => host !== 'c2'));
      const [made] = await world.cloud.create([next]);
      assert.equal(made?.error, null);
    });
  }

  story('the controller restarts: temporary, then all is as before', {}, async (world) => {
    await world.cloud.create([c1]);
    await world.behave({ fail: { '*': 'down' } });
    assert.equal((await fails(world.cloud.list())).kind, 'temporary');
    await fails(
      world.cloud.delete([{ ...(await gone()), id: 'hc-c1-1aaaaaaaaaaa' }]).then(([one]) => Promise.reject(one?.error)),
    );
    await world.behave({});
    assert.equal((await world.cloud.list()).length, 1);

    async function gone(): Promise<Machine> {
      return { id: '', host: 'c1', ip: c1.ip, state: 'unknown', lease: null, since: null, message: '' };
    }
  });
});

/** A container runtime that does as this line of shell says. */
function runtime(line: string, values: Readonly<Record<string, unknown>> = {}): EmulatedOptions {
  return {
    values: { VCP_HELPER_COMMAND: undefined, CONTAINER_RUNTIME: ['sh', '-c', line, 'docker'], ...values },
  };
}

describe('check says what to do before the first node is asked for', SIDE_BY_SIDE, () => {
  const table: readonly [string, EmulatedOptions, (world: Emulated) => Promise<unknown>, string, RegExp][] = [
    ['a wrong token', { values: { VCP_ACCESSKEY: 'wrong-token' } }, async () => {}, 'auth', /VCP_ACCESSKEY/],
    ['a wrong host', { behaviour: { controller: '10.0.0.9' } }, async () => {}, 'temporary', /vcc\.host/],
    [
      'an untrusted certificate',
      {
        behaviour: {
          fail: { _enter: '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self signed certificate' },
        },
      },
      async () => {},
      'config',
      /CA certificate/,
    ],
    [
      'a Vault value that the SDK misses',
      { behaviour: { fail: { get_spec: 'vault' } } },
      async () => {},
      'config',
      /VCPVaultReadException.*store the values .* in the controller's Vault/,
    ],
    ['an unknown provider', { values: { PROVIDER_NAME: 'azure' } }, async () => {}, 'config', /no provider azure/],
    [
      'an unknown flavor',
      { values: { FLAVOR_NAME: 'tiny' } },
      async () => {},
      'config',
      /no flavor tiny under aws.*it has small/,
    ],
    [
      'addresses outside the network',
      { behaviour: { network: '172.30.2.0/24' } },
      async () => {},
      'config',
      /outside 172\.30\.2\.0\/24/,
    ],
    [
      'no vcp_config.yml',
      {},
      (world) => rm(join(world.configDir, 'vcp_config.yml')),
      'config',
      /vcp_config\.yml is not there/,
    ],
    [
      'the typo of the published example',
      {},
      (world) =>
        writeFile(
          join(world.configDir, 'vcp_config.yml'),
          'vcc:\n    host: 10.0.0.1\n    name: t\n    wait_timeout_sec:: 1000\n',
        ),
      'config',
      /write wait_timeout_sec:/,
    ],
    [
      'no Docker',
      { values: { VCP_HELPER_COMMAND: undefined, CONTAINER_RUNTIME: ['/no/such/docker'] } },
      async () => {},
      'config',
      /install Docker/,
    ],
    [
      'no image, to be built',
      runtime('[ $1 = image ] && echo "Error: No such image: $4" >&2; exit 1'),
      async () => {},
      'config',
      /the image vcpsdk:20\.10\.0 is not on this machine.*build it: helpers\/vcp\/README\.md/,
    ],
    [
      'no image, to be pulled',
      runtime('echo "Error: $4: image not known" >&2; exit 125', { VCP_SDK_CONTAINER_IMAGE: 'harbor.example/x:1' }),
      async () => {},
      'config',
      /the image harbor\.example\/x:1 is not on this machine.* pull harbor\.example\/x:1/,
    ],
    [
      'an image without Python',
      runtime('[ $1 = image ] || { echo \'exec: "python3": executable file not found in $PATH\' >&2; exit 127; }'),
      async () => {},
      'config',
      /VCP_SDK_CONTAINER_IMAGE must hold python3/,
    ],
    [
      'an image without the SDK',
      { env: ['PYTHONPATH='] },
      async () => {},
      'config',
      /No module named.*VCP_SDK_CONTAINER_IMAGE must hold it/,
    ],
    [
      'a Docker that is not running',
      runtime('echo "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?" >&2; exit 1'),
      async () => {},
      'temporary',
      /systemctl enable --now docker/,
    ],
    [
      'a Docker we may not use',
      runtime('echo "permission denied while trying to connect to the Docker daemon socket" >&2; exit 1'),
      async () => {},
      'config',
      /must be in the group docker/,
    ],
    [
      'a vcp_config.yml that is no YAML',
      {},
      (world) => writeFile(join(world.configDir, 'vcp_config.yml'), 'vcc:\n\thost: 10.0.0.1\n'),
      'config',
      /vcp_config\.yml:2: /,
    ],
    [
      'no Python side',
      { values: { VCP_HELPER_COMMAND: ['python3', '/no/such/helper.py'] } },
      async () => {},
      'config',
      /VCP_HELPER_COMMAND/,
    ],
    [
      'mdx',
      { mode: 'unit', values: { MDX_API_TOKEN: 'xxxxxx' } },
      async () => {},
      'config',
      /leave MDX_API_TOKEN empty/,
    ],
  ];
  for (const [what, options, prepare, kind, says] of table) {
    story(what, options, async (world) => {
      await prepare(world);
      const error = await fails(world.cloud.check());
      assert.equal(error.kind, kind, sayError(error));
      assert.match(sayError(error), says);
      assert.doesNotMatch(sayError(error), /\n/);
      assert.deepEqual(await world.calls(options.mode === 'unit' ? 'add_nodes' : 'create_unit'), []);
    });
  }

  story('all is well: one line', { behaviour: { network: '10.77.0.0/24' } }, async ({ cloud }) => {
    assert.equal(
      await cloud.check(),
      'the VC controller lets us in as nobody, aws small is known, Unit Group hybridcloud has 0 machines of ours',
    );
  });
});

test('the token is on no command line and in no line that is logged', { timeout: 60_000 }, async () => {
  await using world = await emulated({ behaviour: { fail: { create_unit: `refused for token ${TOKEN}` } } });
  const error = await fails(world.cloud.create([c1]));
  assert.equal(error.message, 'the VCP SDK failed: VcpException: refused for token [hidden]');
  assert.doesNotMatch(JSON.stringify([error.facts, error.stack]), new RegExp(TOKEN));
  assert.doesNotMatch(world.logged.join('\n'), new RegExp(TOKEN));
});
