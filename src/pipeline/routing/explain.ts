import type { OutwardRule } from '../../config/schema/redaction.ts';
import type { Fault, FaultRule, Scope } from '../../faults.ts';
import type { BaseProvider, ProviderModel } from '../../providers/base.ts';
import type { ProtocolName } from '../../wire/protocol.ts';
import type { Inbound } from '../inbound.ts';
import type { LaneContext } from '../lanes/lane.ts';
import type { Resolution } from './models.ts';
import type { Candidate } from './offers.ts';
import type { Rule } from './routes.ts';
import type { RedactRequest } from '../../redact/outward/redact-request.ts';
import { ProxyError, toProxyError } from '../../errors.ts';
import { FAULTS } from '../../faults.ts';
import { Call } from '../../providers/call.ts';
import { usageAsking } from '../../providers/usage-asking.ts';
import { factsOf } from '../../providers/facts-text.ts';
import { bothRules, namesOf } from '../../redact/outward/rule.ts';
import { atOnce } from '../../turns.ts';
import { laneFor } from '../lanes/choose.ts';
import { withBody } from '../redaction.ts';
import { order } from './select.ts';

/** What would be sent to one target. */
export interface ExplainedTarget {
  /** "provider/model" */
  readonly target: string;
  readonly type: string;
  /** Its tier, priority and weight, which determine the order. */
  readonly tier: number;
  readonly priority: number;
  readonly weight: number;
  /** The name or glob of the provider's models that matches it. */
  readonly covered_by: string;
  /** Whether the provider's own list contains the model, in words; null if it has none, or was not asked yet. */
  readonly listed: string | null;
  readonly lane: 'relay' | 'translate';
  readonly protocol: string;
  /** The facts about the model, in words: by vendor, and from the configuration. */
  readonly facts: readonly string[];
  /** What is redacted in a request before it is sent, by kind or by the name of a pattern. */
  readonly redacts: readonly string[];
  readonly url: string | null;
  /** Credentials masked. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly dropped: readonly string[];
  /** Why it could not be called at all. */
  readonly refused: string | null;
}

export interface ExplainedFault {
  readonly fault: Fault;
  readonly means: string;
  readonly leads_to: string;
}

/** The context for preparing a request. */
export interface ExplainContext extends Omit<LaneContext, 'provider' | 'model' | 'usage'> {
  /** Redacts a request by a rule. @throws Unsearchable */
  readonly redact: RedactRequest;
}

export interface Explanation {
  readonly model: string;
  readonly endpoint: string;
  /** What resolved the name, in words. */
  readonly matched_by: string;
  readonly policy: Resolution['policy'];
  readonly targets: readonly ExplainedTarget[];
  readonly failures: readonly ExplainedFault[];
}

/** The faults that a provider can cause; the others are the caller's or our own. */
const OF_PROVIDERS: readonly Fault[] = [
  'rate_limited',
  'overloaded',
  'server',
  'unreachable',
  'network',
  'timeout_connect',
  'timeout_first_byte',
  'timeout_first_content',
  'timeout_idle',
  'timeout_share',
  'truncated',
  'malformed',
  'auth',
  'billing',
  'forbidden',
  'unaffordable',
  'not_found',
  'no_endpoint',
  'declined',
  'context_length',
  'content_policy',
  'invalid_request',
  'unsupported',
];

/** Which targets would be tried, in which order and with what, and the consequences of failures. Nothing is sent. */
export function explainRequest(
  inbound: Inbound,
  { candidates, policy: given, rule }: Resolution,
  listing: (provider: BaseProvider, model: string) => string | undefined,
  context: ExplainContext,
): Explanation {
  const { content_policy, resume, hedge, last_resort, unsupported } = given;
  const policy = { content_policy, resume, hedge, last_resort, unsupported };
  // Without randomness: among equals the heavier one comes first.
  const line = order(
    candidates.toSorted((a, b) => b.weight - a.weight),
    () => 0,
  );
  return {
    model: inbound.model,
    endpoint: inbound.endpoint,
    matched_by: ruleText(rule),
    policy,
    targets: line.map((candidate) => ({
      ...explainTarget(inbound, candidate, context),
      listed: listing(candidate.provider, candidate.model) ?? null,
    })),
    failures: faultsOf(line).map((fault) => ({
      fault,
      means: FAULTS[fault].means,
      leads_to: consequence(fault, line, policy),
    })),
  };
}

/** What resolved the name, in words. */
function ruleText(rule: Rule): string {
  if (rule.kind === 'served') return 'what the providers serve';
  if (rule.kind === 'provider') return `the provider before its slash, ${rule.provider}`;
  return `the ${rule.kind} "${rule.entry}" in models`;
}

/** The faults of plugins are only included if one of the candidates belongs to a plugin. */
function faultsOf(line: readonly Candidate[]): readonly Fault[] {
  const hasPlugin = line.some(({ provider }) => provider.settings.plugin);
  return hasPlugin ? [...OF_PROVIDERS, 'plugin'] : OF_PROVIDERS;
}

function explainTarget(
  given: Inbound,
  { provider, model, offer, tier, priority, weight, redact: ofRoute }: Candidate,
  context: ExplainContext,
): Omit<ExplainedTarget, 'listed'> {
  const lane = laneFor(given, provider, model);
  const rule = bothRules(ofRoute, provider.settings.redact);
  const about = {
    target: `${provider.name}/${model}`,
    type: provider.settings.type,
    tier,
    priority,
    weight,
    covered_by: coveredBy(offer),
    lane: lane.kind,
    protocol: provider.protocol(model),
    facts: known(provider.protocol(model), provider, model),
    redacts: namesOf(rule),
  };
  const nothing = { url: null, headers: {}, body: null, dropped: [], refused: null };
  try {
    const inbound = rule ? redactedInbound(given, rule, context.redact) : given;
    const usage = usageAsking(provider, model);
    const prepared = atOnce(lane.prepare(inbound, { ...context, provider, model, usage }));
    if ('local' in prepared) return { ...about, ...nothing };
    const { body, dropped, protocol = about.protocol } = prepared;
    const call = new Call(prepared, model, inbound.stream, { key: 0, fresh: false });
    const outline = provider.outline(call);
    return {
      ...about,
      protocol,
      // Another one if the request itself causes it.
      facts: protocol === about.protocol ? about.facts : known(protocol, provider, model),
      url: outline?.url ?? null,
      headers: Object.fromEntries(Object.entries(outline?.headers ?? {}).filter(([, value]) => value !== '')),
      body: jsonOf(outline?.body ?? body),
      dropped,
      refused: null,
    };
  } catch (thrown) {
    return { ...about, ...nothing, refused: toProxyError(thrown).message };
  }
}

/** @throws ProxyError `unredactable` */
function redactedInbound(given: Inbound, rule: OutwardRule, redact: RedactRequest): Inbound {
  try {
    const { bytes } = redact(given.bytes, rule);
    return bytes ? atOnce(withBody(given, bytes)) : given;
  } catch (cause) {
    throw new ProxyError('unredactable', `it cannot be redacted: ${(cause as Error).message}`, { cause });
  }
}

/** The facts about a model, each line with its source. */
function known(protocol: ProtocolName, provider: BaseProvider, model: string): string[] {
  const { quirks: vendor } = provider.settings;
  return factsOf(protocol, model, provider.quirks(model), vendor).map(({ text, source }) =>
    source === undefined ? text : `${text} [${source}]`,
  );
}

function coveredBy({ name, upstream }: ProviderModel): string {
  return upstream === undefined ? name : `${name} (${upstream})`;
}

function jsonOf(body: Uint8Array | string): unknown {
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return `${text.length} bytes`;
  }
}

/** The consequences of a fault of the first target by the table of faults and the route's policy, in words. */
function consequence(fault: Fault, line: readonly Candidate[], policy: Resolution['policy']): string {
  const { retry, failover, blames, health, cooldownMs }: FaultRule = FAULTS[fault];
  const [first, second] = line;
  const retries = first?.provider.settings.maxRetries ?? 0;
  const next = second ? `${second.provider.name}/${second.model}` : undefined;
  const moves = failover === 'yes' || (failover === 'policy' && policy.content_policy === 'failover');
  const steps: string[] = [];
  const again = `retried ${retries === 1 ? 'once' : `up to ${retries} times`}`;
  const last = retry === 'last' && retries > 0 ? [`${again} if no other target is ready`] : [];
  if (retry === 'first' && retries > 0) steps.push(again);
  if (moves && next) steps.push(next, ...last);
  else if (moves) steps.push(...last, last.length > 0 ? 'the error' : 'the error (no other target)');
  else if (failover === 'larger')
    steps.push(next ? 'a target whose context window is not known to be as small' : 'the error');
  else steps.push("the provider's own error");
  const effect = EFFECT[health](BLAMED[blames], cooldownMs / 1_000);
  return `${steps.join(', then ')}${effect === '' ? '' : `; ${effect}`}`;
}

const BLAMED: Readonly<Record<Scope, string>> = {
  request: 'the request',
  endpoint: 'this endpoint of the target',
  target: 'the target',
  key: 'the key',
  provider: 'the provider',
};

/** @param seconds the first cooldown, 0 for the configured one */
const EFFECT: Readonly<Record<FaultRule['health'], (whom: string, seconds: number) => string>> = {
  failure: (whom) => `counts for the breaker of ${whom}`,
  down: (whom, seconds) => `holds ${whom} back${seconds > 0 ? `, at first for ${seconds} s` : ''}`,
  suspect: (whom) => `holds ${whom} back after several requests in a row`,
  busy: (whom, seconds) => `pauses ${whom} for this model for ${seconds} s, or as long as it asks`,
  none: () => '',
};
