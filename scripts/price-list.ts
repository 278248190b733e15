/**
 * Writes the price list, src/providers/price-list.jsonl, from the data of genai-prices: those of its repository, or a
 * file in the same format. `bun scripts/price-list.ts [FILE or URL]`
 */
import type { Provider } from '@pydantic/genai-prices';
import { join } from 'node:path';
import { REMOTE_DATA_JSON_URL } from '@pydantic/genai-prices';

type Model = Provider['models'][number];

const LIST = join(import.meta.dir, '../src/providers/price-list.jsonl');

const [from = REMOTE_DATA_JSON_URL] = process.argv.slice(2);
const source = from.includes('://') ? await fetch(from) : Bun.file(from);
const vendors = (await source.json()) as Provider[];

const lines = vendors.flatMap(({ id, api_pattern, fallback_model_providers: resells, models }) => [
  { vendor: id, api_pattern, ...(resells?.length ? { resells } : {}) },
  ...models.map((model) => ({ vendor: id, ...slim(model) })),
]);
await Bun.write(LIST, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
process.stdout.write(`${vendors.length} vendors, ${lines.length - vendors.length} models\n`);

/** A model without descriptions. */
function slim({ id, match, context_window, prices }: Model): object {
  const slimmed = Array.isArray(prices)
    ? prices.map(({ constraint, prices: amounts }) => ({
        ...(constraint ? { constraint: typed(constraint) } : {}),
        prices: amounts,
      }))
    : prices;
  return { id, match, ...(context_window === undefined ? {} : { context_window }), prices: slimmed };
}

/** The data leave out the type, which the calculation needs. */
function typed(constraint: object): object {
  return { ...constraint, type: 'start_date' in constraint ? 'start_date' : 'time_of_date' };
}
