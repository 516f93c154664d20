import { bootstrapContract } from './bootstrap.contract.ts';
import { makeNoBootstrap } from './none.ts';

const proves = 'not applicable: none proves nothing, the image does';

bootstrapContract(
  'none',
  async () => ({
    bootstrap: makeNoBootstrap(
      { SSH_PORT: 22 },
      {
        knock: async (address, _port, _ms, signal) => {
          if (signal?.aborted) return { kind: 'unasked', text: 'stopped' };
          return address === '10.77.0.109' ? { kind: 'silent', text: 'no answer' } : { kind: 'refused', text: 'no' };
        },
      },
    ),
    good: { name: 'c1', ip: '10.77.0.101' },
    wrong: { name: 'c2', ip: '10.77.0.102' },
    stuck: { name: 'c3', ip: '10.77.0.103' },
    silent: { name: 'c9', ip: '10.77.0.109' },
    mounted: async () => true,
    async [Symbol.asyncDispose]() {},
  }),
  {
    'a wrong machine behind the address is refused as such': proves,
    'an abort ends a preparation at once and says what the trouble was': proves,
    'with a signal that was given before, nothing is prepared': proves,
  },
);
