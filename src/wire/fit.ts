/**
 * The one step before a request is encoded: what a target cannot take of a canonical request is turned into what it takes, or
 * left out and named, by the facts of its protocol, its vendor and its model. What encoders need not know stands here.
 */
import type { ChatMessage, ChatRequest } from './chat.ts';
import type { ProtocolName, ReplayMemory } from './protocol.ts';
import type { Quirks } from './quirks.ts';
import type { Abilities } from './facts/abilities.ts';
import type { Issued } from './parts/issued.ts';
import { abilitiesOf } from './facts/abilities.ts';
import { spokenMessages, withoutThoughtsAlone } from './facts/blanks.ts';
import { withMediaTypes } from './facts/media-types.ts';
import { fittingMessages } from './facts/messages.ts';
import { fittingParameters } from './facts/parameters.ts';
import { PROTOCOL_FACTS } from './facts/protocols.ts';
import { OwnNames, renamedFor, withNames } from './facts/tool-names.ts';
import { withPlainCalls } from './facts/custom-calls.ts';
import { fromVendorFields } from './facts/vendor-fields.ts';
import { isObject } from './json.ts';
import { returnedMessages } from './parts/returned.ts';

/** What is known of a target. */
export interface FitFacts {
  readonly protocol: ProtocolName;
  readonly quirks: Quirks;
  /** What it may be given back. */
  readonly issued: Issued;
  readonly memory: ReplayMemory;
}

export interface Fitted {
  readonly request: ChatRequest;
  /** What was left out, by its name. */
  readonly dropped: readonly string[];
  /** Whether it is given back something sealed, which it could refuse. */
  readonly sealed: boolean;
  /** Gives the calls of its answer the names that the client knows. */
  readonly names: OwnNames;
}

/** Whose encoders ask for JSON in their own ways, also of models that lack the usual one. */
const OWN_FORMATS: ReadonlySet<ProtocolName> = new Set(['messages', 'converse', 'gemini']);

/** Tiers of service that say no more than nothing does. */
const PLAIN_TIERS: ReadonlySet<unknown> = new Set(['auto', 'default']);

/** A request as a target takes it. */
export function fit(asked: ChatRequest, { protocol, quirks, issued, memory }: FitFacts): Fitted {
  const abilities = abilitiesOf(protocol, quirks);
  // Servers of chat may know each other's fields.
  const vendor = protocol === 'chat' ? { fields: {}, dropped: [] } : fromVendorFields(asked);
  const request: ChatRequest = { ...asked, ...vendor.fields };
  if (!Array.isArray(request.messages)) {
    return { request, dropped: vendor.dropped, sealed: false, names: new OwnNames(new Map()) };
  }
  const given = protocol === 'chat' ? request.messages : request.messages.map(withPlainCalls);
  const returned = returnedMessages(given, { protocol, abilities, issued, memory });
  request.messages = [...returned.messages];
  const usual = PROTOCOL_FACTS.find(({ protocols, efforts }) => efforts && protocols.includes(protocol));
  const steering = usual?.efforts ? { efforts: usual.efforts, ...quirks } : quirks;
  const taken = fittingParameters(request, 'chat', steering, ofEncoder(protocol, abilities));
  const fitted = { ...taken.body } as ChatRequest;
  const roles = { ...usual?.roles, ...quirks.roles };
  const named = fittingMessages(fitted.messages, { roles }) as ChatMessage[] | undefined;
  const shown = (named ?? fitted.messages).map(withMediaTypes);
  // Servers of chat are given what the client said, as far as they are not known to refuse it.
  const isPlain =
    protocol === 'chat' && abilities.blank_text !== false && abilities.assistant_first !== false;
  fitted.messages = isPlain ? withoutThoughtsAlone(shown) : spokenMessages(shown, abilities);
  if (Array.isArray(fitted.tools)) fitted.tools = fitted.tools.map(typed) as ChatRequest['tools'];
  // Mistral's word, which its own quirks give back to it.
  if ((fitted.tool_choice as unknown) === 'any') fitted.tool_choice = 'required';
  const dropped = new Set([...vendor.dropped, ...returned.dropped, ...taken.dropped]);
  // Anthropic has tiers of its own.
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
    names: new OwnNames(renamed),
  };
}

/** Takes out what a protocol has less room for than chat, or none. @returns the names of what was */
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
  if (isObject(fitted.tool_choice) && (fitted.tool_choice.type as string) === 'custom') {
    delete fitted.tool_choice;
    left.push('tool_choice');
  }
  return left;
}

function ofEncoder(protocol: ProtocolName, abilities: Abilities): Abilities {
  if (!OWN_FORMATS.has(protocol)) return abilities;
  const { json_schema: _schema, json_with_tools: _beside, ...others } = abilities;
  return others;
}

/** Some clients leave out what a tool is: nothing else was known when they were written. */
function typed(tool: unknown): unknown {
  return isObject(tool) && tool.type === undefined && isObject(tool.function)
    ? { type: 'function', ...tool }
    : tool;
}
