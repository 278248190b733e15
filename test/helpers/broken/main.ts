/**
 * The broken provider as a separate process; it prints its URL. GET /__log reports how many attempts it received, by
 * fault. The model `random` draws its faults by the given shares, the same in every run with the same seed.
 * Usage: bun test/helpers/broken/main.ts [--port N] [--seed N] [--rate FAULT=SHARE]...
 */
import { parseArgs } from 'node:util';
import { brokenProvider } from '../broken.ts';
import { drawer, ratesOf, seeded } from './dice.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    rate: { type: 'string', multiple: true, default: [] },
  },
});

const draw = drawer(ratesOf(values.rate), seeded(Number(values.seed)));
const provider = await brokenProvider({ port: Number(values.port), keep: false, draw });
process.stdout.write(`${provider.url}\n`);
