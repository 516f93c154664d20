/**
 * bench/recovery: how long it takes until everything is normal after each single fault, in simulated time. Prints the
 * table of docs/reliability.md: `node bench/recovery.ts`.
 */
import { recoveryTable } from '../src/sim/recovery.ts';

process.stdout.write(await recoveryTable());
