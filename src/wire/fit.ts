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
import { spokenMessages } from './facts/blanks.ts';
import { withMediaTypes } from './facts/media-types.ts';
import { fittingMessages } from './facts/messages.ts';
import { fittingParameters } from './facts/parameters.ts';
import { PROTOCOL_FACTS } from './facts/protocols.ts';
import { OwnNames, renamedFor, withNames } from './facts/tool-names.ts';
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
  const returned = returnedMessages(request.messages, { protocol, abilities, issued, memory });
  request.messages = [...returned.messages];
  const usual = PROTOCOL_FACTS.find(({ protocols, efforts }) => efforts && protocols.includes(protocol));
  const steering = usual?.efforts ? { efforts: usual.efforts, ...quirks } : quirks;
  const taken = fittingParameters(request, 'chat', steering, ofEncoder(protocol, abilities));
  const fitted = { ...taken.body } as ChatRequest;
  const roles = { ...usual?.roles, ...quirks.roles };
  const named = fittingMessages(fitted.messages, { roles }) as ChatMessage[] | undefined;
  fitted.messages = spokenMessages((named ?? fitted.messages).map(withMediaTypes), abilities);
  if (Array.isArray(fitted.tools)) fitted.tools = fitted.tools.map(typed) as ChatRequest['tools'];
  // Mistral's word, which its own quirks give back to it.
  if ((fitted.tool_choice as unknown) === 'any') fitted.tool_choice = 'required';
  const dropped = new Set([...vendor.dropped, ...returned.dropped, ...taken.dropped]);
  // Anthropic has tiers of its own.
  const { service_tier: tier } = fitted;
  if (protocol === 'messages' && tier !== undefined && tier !== null && !PLAIN_TIERS.has(tier)) {
    dropped.add('service_tier');
  }
  const renamed = renamedFor(fitted, protocol);
  return {
    request: withNames(fitted, renamed),
    dropped: [...dropped],
    sealed: returned.sealed,
    names: new OwnNames(renamed),
  };
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
