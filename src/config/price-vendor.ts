import { PROVIDER_TYPES, presetOf } from './presets.ts';

/** Vendors in the price table that have no type of their own, by host. A test compares them with the table. */
const OTHER_HOSTS: Readonly<Record<string, string>> = {
  'api.arcee.ai': 'arcee',
  'api.avian.io': 'avian',
  'api.doubleword.ai': 'doubleword',
  'api.githubcopilot.com': 'github-copilot',
  'api.meta.ai': 'meta',
  'api.minimax.io': 'minimax',
  'api.minimaxi.com': 'minimax',
  'api.moonshot.cn': 'moonshotai',
  'api.novita.ai': 'novita',
  'api.voyageai.com': 'voyageai',
  'inference.baseten.co': 'baseten',
  'oai.endpoints.kepler.ai.cloud.ovh.net': 'ovhcloud',
  'open.bigmodel.cn': 'zhipuai',
};

/** The vendors in the price table, by the host of their API. */
export const PRICE_HOSTS: ReadonlyMap<string, string> = new Map([
  ...PROVIDER_TYPES.flatMap((type): [string, string][] => {
    const { baseUrl, prices } = presetOf(type);
    return baseUrl === undefined || prices === undefined ? [] : [[new URL(baseUrl).host, prices]];
  }),
  ...Object.entries(OTHER_HOSTS),
]);

/** Vendors whose models have the prices of the provider that their name selects: `openai/gpt-oss-120b:groq`. */
export const PRICE_ROUTERS: ReadonlySet<string> = new Set(['huggingface']);

/**
 * The vendor in the price table, and the name there, of a model. A router's model without a provider, or with a policy
 * to choose one, such as `:fastest`, has no price in the table.
 * @see https://huggingface.co/docs/inference-providers/index#provider-selection
 */
export function pricedModel(vendor: string, model: string): readonly [vendor: string, model: string] {
  const colon = PRICE_ROUTERS.has(vendor) ? model.lastIndexOf(':') : -1;
  return colon < 0 ? [vendor, model] : [`${vendor}_${model.slice(colon + 1)}`, model.slice(0, colon)];
}

/**
 * The id of a provider's vendor in the price table: by its address, since many vendors serve the APIs of others, and
 * otherwise by its type. `undefined` if it has none.
 */
export function priceVendor(type: string, baseUrl: string | undefined): string | undefined {
  const host = baseUrl === undefined ? undefined : URL.parse(baseUrl)?.host;
  return (host === undefined ? undefined : PRICE_HOSTS.get(host)) ?? presetOf(type).prices;
}
