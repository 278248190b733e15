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

/** OpenAI's hosts that process requests in one region. */
const REGIONAL_HOST = /^(?:eu|us|gov)\.api\.openai\.com$/;

/**
 * Whether a provider's vendor processes requests in one region, which costs more with some models: at such a host of
 * OpenAI, or in a location of Vertex AI. The names of Bedrock's models say it themselves.
 * @param region as configured
 */
export function isRegional(type: string, baseUrl: string | undefined, region: string | undefined): boolean {
  if (type === 'vertex') return region !== undefined && region !== 'global';
  return baseUrl !== undefined && REGIONAL_HOST.test(URL.parse(baseUrl)?.host ?? '');
}

/**
 * The id of a provider's vendor in the price table: by its address, since many vendors serve the APIs of others, and
 * otherwise by its type. `undefined` if it has none.
 */
export function priceVendor(type: string, baseUrl: string | undefined): string | undefined {
  const host = baseUrl === undefined ? undefined : URL.parse(baseUrl)?.host;
  if (host !== undefined && REGIONAL_HOST.test(host)) return 'openai';
  return (host === undefined ? undefined : PRICE_HOSTS.get(host)) ?? presetOf(type).prices;
}
