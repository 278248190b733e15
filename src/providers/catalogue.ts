import type { Api, Preset, ProviderType } from '../config/presets.ts';
import type { ChatRequest } from '../wire/chat.ts';
import type { ProtocolName, ProviderProtocol } from '../wire/protocol.ts';
import type { Quirks } from '../wire/quirks.ts';
import { PROVIDER_TYPES, presetOf } from '../config/presets.ts';
import { toProxyError } from '../errors.ts';
import { anthropicProtocol } from '../wire/anthropic/protocol.ts';
import { converseProtocol } from '../wire/bedrock/protocol.ts';
import { cohereProtocol } from '../wire/cohere/protocol.ts';
import { fit } from '../wire/fit.ts';
import { geminiProtocol } from '../wire/gemini/protocol.ts';
import { chatProtocol } from '../wire/openai/protocol.ts';
import { mergeQuirks } from '../wire/quirks.ts';
import { responsesProtocol } from '../wire/responses/protocol.ts';
import { quirksOf } from './quirks.ts';
import { Issued } from '../wire/parts/issued.ts';
import { NO_MEMORY } from '../wire/protocol.ts';

/** A vendor as it is presented to people. */
export interface CatalogueRow {
  readonly type: string;
  readonly title: string;
  /** The protocol of a chat. */
  readonly protocol: string;
  /** Client APIs that are passed to it unchanged. */
  readonly relays: readonly string[];
  /** How it authenticates, and where its key is looked for. */
  readonly auth: string;
  /** Its endpoint families. */
  readonly endpoints: readonly string[];
  /** Fields of a chat request that are left out. */
  readonly drops: readonly string[];
  /** The free endpoint that health probes call. */
  readonly probe: string | null;
  /** The URL of its list of models, below the base URL. */
  readonly list: string | null;
  /** Whether its chat streams report their usage unasked. */
  readonly tells_usage: boolean;
  readonly tested: string;
}

/** The names of the protocols. */
const PROTOCOLS: Readonly<Record<Api, ProtocolEntry>> = {
  openai: { name: 'OpenAI chat', format: 'chat', protocol: chatProtocol },
  anthropic: { name: 'Anthropic Messages', format: 'messages', protocol: anthropicProtocol },
  gemini: { name: 'Gemini', format: 'gemini', protocol: geminiProtocol },
  vertex: { name: 'Gemini, Messages or chat', format: 'gemini', protocol: geminiProtocol },
  bedrock: { name: 'Bedrock Converse', format: 'converse', protocol: converseProtocol },
  cohere: { name: 'Cohere v2', format: 'cohere', protocol: cohereProtocol },
  mock: { name: 'in process', format: 'chat', protocol: chatProtocol },
  plugin: { name: 'its own code', format: 'chat', protocol: chatProtocol },
};
const RESPONSES: ProtocolEntry = {
  name: 'OpenAI Responses',
  format: 'responses',
  protocol: responsesProtocol,
};

interface ProtocolEntry {
  readonly name: string;
  readonly format: ProtocolName;
  readonly protocol: ProviderProtocol;
}

/** The ways of authentication of a vendor besides keys. */
const ALSO: Readonly<Partial<Record<ProviderType, string>>> = {
  azure: 'or Entra client credentials',
  vertex: 'service account, metadata server or express key',
  bedrock: 'or AWS signature',
};

/** Lists of models that are not below the base URL. */
const LISTS: Readonly<Partial<Record<ProviderType, string>>> = {
  azure: 'its deployments',
  vertex: 'models published by Google and Anthropic',
  bedrock: 'its models and inference profiles',
};

const RECORDED = 'recorded traffic';

/** How each vendor is tested, if by more than its documentation. */
const TESTED: Readonly<Partial<Record<ProviderType, string>>> = {
  openai: `${RECORDED}, OpenAPI document`,
  azure: RECORDED,
  anthropic: RECORDED,
  gemini: RECORDED,
  vertex: RECORDED,
  bedrock: RECORDED,
  cohere: RECORDED,
  mistral: RECORDED,
  deepseek: RECORDED,
  xai: RECORDED,
  grok: RECORDED,
  perplexity: RECORDED,
  'perplexity-sonar': RECORDED,
  groq: RECORDED,
  cerebras: RECORDED,
  together: RECORDED,
  openrouter: RECORDED,
  ollama: RECORDED,
  moonshot: RECORDED,
  zai: RECORDED,
  huggingface: RECORDED,
  vllm: RECORDED,
  llamacpp: RECORDED,
  mock: 'every test',
};

/** A request with every field that influences an answer. */
const EVERYTHING: ChatRequest = {
  model: '',
  messages: [{ role: 'user', content: 'Hi' }],
  max_tokens: 100,
  temperature: 0.5,
  top_p: 0.5,
  top_k: 5,
  stop: ['x'],
  seed: 1,
  presence_penalty: 0.1,
  frequency_penalty: 0.1,
  logit_bias: { 1: 1 },
  logprobs: true,
  top_logprobs: 1,
  user: 'u',
  store: true,
  service_tier: 'auto',
  verbosity: 'low',
  parallel_tool_calls: false,
};

/** All known vendors, in the order of the presets. */
export function catalogue(): CatalogueRow[] {
  return PROVIDER_TYPES.map((type) => {
    const preset = presetOf(type);
    const only = preset.onlyResponses?.source === '.';
    const entry = only ? RESPONSES : PROTOCOLS[preset.api];
    return {
      type,
      title: preset.title,
      protocol: entry.name,
      relays: relayed(preset, only),
      auth: authText(type, preset),
      endpoints: preset.endpoints,
      drops: dropsOf(entry, type),
      probe: preset.probe ?? null,
      list: LISTS[type] ?? (preset.list ?? preset.probe)?.replace(/\?.*/, '') ?? null,
      tells_usage: quirksOf(type).reportsUsage ?? false,
      tested: TESTED[type] ?? 'its documented format',
    };
  });
}

function relayed({ api, also = {} }: Preset, only: boolean): string[] {
  if (api === 'anthropic') return ['messages', 'messages.count_tokens'];
  if (api === 'vertex') return ['messages (Claude)', 'chat (other publishers)'];
  if (api === 'openai' || api === 'mock') return [...(only ? [] : ['chat']), ...Object.keys(also)];
  return [];
}

function authText(type: ProviderType, { auth, keyEnv, keyOptional }: Preset): string {
  if (auth === 'none') return 'none';
  const how = auth === 'bearer' ? 'Bearer' : auth;
  const where = keyEnv.length > 0 ? ` ${keyEnv.join(' or ')}` : '';
  return [`${how}${where}${keyOptional ? ' (optional)' : ''}`, ALSO[type]].filter(Boolean).join(', ');
}

/** The fields of {@link EVERYTHING} that are left out for the newest model of a vendor. */
function dropsOf({ format: name, protocol }: ProtocolEntry, type: ProviderType): readonly string[] {
  const first = presetOf(type).models[0] ?? 'model';
  const model = (typeof first === 'string' ? first : first.name).replace(/[*{].*$/, '') + '9';
  const { models, ...vendor }: Quirks = quirksOf(type);
  const row = models?.find(({ match }) => match.test(model));
  const quirks = row ? mergeQuirks(vendor, row.quirks) : vendor;
  try {
    const issued = new Issued(NO_MEMORY, type, false);
    const fitted = fit(EVERYTHING, { protocol: name, quirks, issued, memory: NO_MEMORY });
    const coding = { model, quirks, created: 0, newId: () => 'id', memory: NO_MEMORY };
    return [...new Set([...fitted.dropped, ...protocol.encode(fitted.request, coding).dropped])];
  } catch (thrown) {
    throw new Error(`Cannot list ${type}: ${toProxyError(thrown).message}`, { cause: thrown });
  }
}
