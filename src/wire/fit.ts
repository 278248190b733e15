/**
 * The last step before a request is encoded: whatever the target does not support is converted or left out and named,
 * according to the facts about its protocol, vendor and model, so that encoders need not know these.
 */
import type { ChatMessage, ChatRequest } from './chat.ts';
import type { ProtocolName, ReplayMemory } from './protocol.ts';
import type { Quirks } from './quirks.ts';
import type { Abilities } from './facts/abilities.ts';
import type { Issued } from './parts/issued.ts';
import { abilitiesOf } from './facts/abilities.ts';
import { withAllowedTools } from './facts/allowed-tools.ts';
import { acceptedMessages, withoutThoughtsAlone } from './facts/blanks.ts';
import { withMediaTypes } from './facts/media-types.ts';
import { fittingMessages } from './facts/messages.ts';
import { asksForOtherRoot } from './facts/object-root.ts';
import { fittingParameters } from './facts/parameters.ts';
import { PROTOCOL_FACTS } from './facts/protocols.ts';
import { OwnNames, renamedFor, withNames } from './facts/tool-names.ts';
import { hasSchemas, withoutStrictness } from './facts/schemas.ts';
import { withTextOfFiles } from './facts/text-files.ts';
import { fromVendorFields } from './facts/vendor-fields.ts';
import { refuseForeignFiles } from './facts/vendor-files.ts';
import { isObject } from './json.ts';
import { resultsFirst } from './parts/results-first.ts';
import { returnedMessages } from './parts/returned.ts';
import { toolSchema } from './parts/tool-schema.ts';
import { wholeResults } from './parts/whole-results.ts';
import { wholeTurns } from './parts/whole-turns.ts';

/** What is known about a target. */
export interface FitFacts {
  readonly protocol: ProtocolName;
  /** Its name at the provider. */
  readonly model?: string;
  readonly quirks: Quirks;
  /** What may be sent back to it. */
  readonly issued: Issued;
  readonly memory: ReplayMemory;
  /** Whether it has just refused to compile a schema. */
  readonly schemaless?: boolean;
}

export interface Fitted {
  readonly request: ChatRequest;
  /** The names of what was left out. */
  readonly dropped: readonly string[];
  /** Whether it contains signed or encrypted parts, which the target could reject. */
  readonly sealed: boolean;
  /** Whether the target has to compile a schema for it, which it could refuse. */
  readonly schemas: boolean;
  /** Gives the calls in the answer the names that the client knows. */
  readonly names: OwnNames;
}

/** Protocols whose encoders request JSON in their own way, even for models without the usual one. */
const OWN_FORMATS: ReadonlySet<ProtocolName> = new Set(['messages', 'converse', 'gemini']);

/** Service tiers that are equivalent to the default. */
const PLAIN_TIERS: ReadonlySet<unknown> = new Set(['auto', 'default']);

/** Adapts a request to a target. */
export function fit(
  original: ChatRequest,
  { protocol, quirks, issued, memory, model = '', schemaless = false }: FitFacts,
): Fitted {
  const abilities = abilitiesOf(protocol, quirks);
  // Chat servers may support each other's fields.
  const vendor = protocol === 'chat' ? { fields: {}, dropped: [] } : fromVendorFields(original, protocol);
  const lost: string[] = [];
  const limited = withAllowedTools(original, protocol);
  const lenient = schemaless ? withoutStrictness(limited, lost) : limited;
  const request: ChatRequest = { ...lenient, ...vendor.fields };
  if (!Array.isArray(request.messages)) {
    return {
      request,
      dropped: vendor.dropped,
      sealed: false,
      schemas: false,
      names: new OwnNames(new Map()),
    };
  }
  const whole = wholeResults(resultsFirst(wholeTurns(request.messages)));
  const returned = returnedMessages(whole, { protocol, abilities, issued, memory });
  request.messages = returned.messages.map((message) => withTextOfFiles(withMediaTypes(message)));
  // By now, images of earlier answers are part of user messages if the target accepts them only there.
  refuseForeignFiles(request.messages, { protocol, quirks, model: quirks.like ?? model });
  const usual = PROTOCOL_FACTS.find(({ protocols, efforts }) => efforts && protocols.includes(protocol));
  const steering = usual?.efforts ? { efforts: usual.efforts, ...quirks } : quirks;
  const expressible = ofEncoder(protocol, abilities, schemaless);
  const inWords = quirks.objectRoots && asksForOtherRoot(request);
  const taken = fittingParameters(
    request,
    'chat',
    steering,
    inWords ? { ...expressible, json_schema: false, json_object: false } : expressible,
  );
  const fitted = { ...taken.body } as ChatRequest;
  const roles = { ...usual?.roles, ...quirks.roles };
  const named = fittingMessages(fitted.messages, { roles }) as ChatMessage[] | undefined;
  const shown = named ?? fitted.messages;
  // Chat servers receive the client's fields unless they are known to reject them.
  const isPlain =
    protocol === 'chat' && abilities.blank_text !== false && abilities.assistant_first !== false;
  fitted.messages = isPlain ? withoutThoughtsAlone(shown) : acceptedMessages(shown, abilities);
  if (Array.isArray(fitted.tools)) fitted.tools = fitted.tools.map(typed) as ChatRequest['tools'];
  const dropped = new Set([...vendor.dropped, ...lost, ...returned.dropped, ...taken.dropped]);
  // Anthropic has service tiers of its own.
  const { service_tier: tier } = fitted;
  if (protocol === 'messages' && tier !== undefined && tier !== null && !PLAIN_TIERS.has(tier)) {
    dropped.add('service_tier');
  }
  for (const name of withoutForeign(fitted, protocol)) dropped.add(name);
  const renamed = renamedFor(fitted, protocol);
  return {
    request: withNames(fitted, renamed),
    dropped: [...dropped],
    sealed: returned.sealed,
    schemas: !schemaless && hasSchemas(fitted),
    names: new OwnNames(renamed),
  };
}

/** Removes what a protocol limits more narrowly than chat, or lacks. @returns the names of what was removed */
function withoutForeign(fitted: ChatRequest, protocol: ProtocolName): string[] {
  const left: string[] = [];
  const { stops } =
    PROTOCOL_FACTS.find((row) => row.stops !== undefined && row.protocols.includes(protocol)) ?? {};
  if (stops !== undefined && Array.isArray(fitted.stop) && fitted.stop.length > stops) {
    fitted.stop = fitted.stop.slice(0, stops);
    left.push('stop');
  }
  if (protocol === 'chat') return left;
  if (
    fitted.messages.some(({ role, name }) => name !== undefined && role !== 'tool' && role !== 'function')
  ) {
    left.push('messages.name');
  }
  return left;
}

function ofEncoder(protocol: ProtocolName, abilities: Abilities, schemaless: boolean): Abilities {
  // Gemini has no other way to request a schema than the one that it refused.
  if (!OWN_FORMATS.has(protocol) || (schemaless && protocol === 'gemini')) return abilities;
  const { json_schema: _schema, json_with_tools: _beside, ...others } = abilities;
  return others;
}

/** A tool with its type, which old clients may omit, and with a schema that OpenAI accepts. */
function typed(tool: unknown): unknown {
  if (!isObject(tool) || !isObject(tool.function)) return tool;
  const { parameters } = tool.function;
  const schema = isObject(parameters) ? toolSchema(parameters) : parameters;
  const fn = schema === parameters ? tool.function : { ...tool.function, parameters: schema };
  return tool.type === undefined || fn !== tool.function ? { type: 'function', ...tool, function: fn } : tool;
}
