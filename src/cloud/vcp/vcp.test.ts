import { emulated } from '../../../test/vcp-emulator/emulated.ts';
import { cloudContract } from '../cloud.contract.ts';

const CAPACITY = 'InsufficientInstanceCapacity: We currently do not have sufficient m5.large capacity';
const KINDS: Readonly<Record<string, string>> = { temporary: 'down', auth: 'auth', throttled: 'throttled' };

for (const mode of ['spec', 'unit'] as const) {
  const methods = {
    list: 'get_ugroup',
    create: mode === 'spec' ? 'create_unit' : 'add_nodes',
    delete: mode === 'spec' ? 'delete_units' : 'delete_nodes',
  };
  cloudContract(`vcp in ${mode} mode`, async () => {
    const world = await emulated({ mode, values: { VCP_KEEP_HOSTS: [] } });
    const base = world.cloud;
    // The node that the template made is not ours; the cases count what is.
    const cloud =
      mode === 'spec'
        ? base
        : {
            ...base,
            list: async (signal?: AbortSignal) => (await base.list(signal)).filter(({ host }) => host !== 'compute'),
          };
    return {
      cloud,
      hang: (call) => world.behave({ hang: [methods[call]] }),
      failList: (kind) => world.behave({ fail: { [methods.list]: KINDS[kind] ?? kind } }),
      refuse: (host, kind) =>
        world.behave({ refuse: { [`10.77.0.10${host.slice(1)}`]: kind === 'capacity' ? CAPACITY : kind } }),
      occupy: (ip) => world.behave({ occupied: [ip] }),
      loseCreate: () => world.behave({ lose: [methods.create] }),
      settle: async () => {},
      [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
    };
  });
}
