import { defineCommand } from 'citty';
import type { ExplainedTarget, Explanation } from '../pipeline/routing/explain.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import { about } from './argv/command.ts';
import { explain } from '../explain.ts';
import { listed } from '../config/listed.ts';
import { nearest } from '../config/suggest.ts';
import { ProxyError } from '../errors.ts';
import { HTTP_ENDPOINTS } from '../wire/endpoints.ts';
import { fileReason } from '../logs/names.ts';
import { ExitError } from './exit.ts';
import { print } from './output.ts';
import { withoutSecrets } from './shown.ts';
import { CONFIG_FLAG, loadSource } from './source.ts';
import { table } from './table.ts';
import { fitted, widthOf } from './wrap.ts';

/** The request used if none is given. */
const SAMPLE = { messages: [{ role: 'user', content: 'Hello' }] };

export default defineCommand({
  meta: about({
    name: 'explain',
    description:
      'Show which targets a request would be sent to, what they would receive, and the consequences of failures. Sends nothing',
    examples: [
      'llmproxy explain gpt-4o',
      'llmproxy explain fast --endpoint messages',
      'llmproxy explain --request body.json --json',
    ],
  }),
  args: {
    asked: {
      type: 'positional',
      valueHint: 'model',
      required: false,
      description: 'The model that a client requests (default: the one in the request)',
    },
    model: { type: 'string', valueHint: 'name', description: 'Same as the argument' },
    request: {
      type: 'string',
      valueHint: 'file',
      description: 'File with the request body as JSON, or - for stdin',
    },
    endpoint: {
      type: 'string',
      valueHint: 'api',
      values: HTTP_ENDPOINTS,
      default: 'chat',
      description: 'API of the request: chat, messages, responses, embeddings, ... (default: chat)',
    },
    config: CONFIG_FLAG,
    json: { type: 'boolean', description: 'Print it as JSON' },
  },
  async run({ args }) {
    const endpoint = endpointOf(args.endpoint);
    if (args.asked === undefined && args.model === undefined && args.request === undefined)
      throw new ExitError(2, 'Cannot explain a request: name its MODEL, or give it with --request FILE');
    const given = args.request === undefined ? sampleFor(endpoint) : await bodyOf(args.request);
    if (args.asked !== undefined && args.model !== undefined)
      throw new ExitError(2, `Cannot use --model ${args.model} with ${args.asked}: give one model`);
    const model = args.asked ?? args.model;
    const body = model === undefined ? given : { ...given, model };
    const { config, plugins } = await loadSource(args.config);
    const classes = plugins.classes(() => undefined);
    const whole = explained(() => explain(config, { env: process.env, plugins: classes }, endpoint, body));
    const explanation = withoutSecrets(whole, config);
    print(args.json ? `${JSON.stringify(explanation, null, 2)}\n` : render(explanation));
  },
});

function endpointOf(name: string): Endpoint {
  const known = HTTP_ENDPOINTS.find((endpoint) => endpoint === name);
  if (known) return known;
  const [close] = nearest(name, HTTP_ENDPOINTS, 1);
  const hint = close === undefined ? `expected ${listed(HTTP_ENDPOINTS)}` : `did you mean ${close}?`;
  throw new ExitError(2, `Cannot use --endpoint ${name}: ${hint}`);
}

function sampleFor(endpoint: Endpoint): Record<string, unknown> {
  const content = { parts: [{ text: 'Hello' }] };
  if (endpoint === 'gemini' || endpoint === 'gemini.count_tokens')
    return { contents: [{ role: 'user', ...content }] };
  if (endpoint === 'ollama.generate' || endpoint === 'ollama.embeddings') return { prompt: 'Hello' };
  if (endpoint === 'ollama.embed') return { input: 'Hello' };
  if (endpoint === 'gemini.embed') return { content };
  if (endpoint === 'gemini.batch_embed') return { requests: [{ content }] };
  if (endpoint === 'gemini.predict') return { instances: [{ content: 'Hello' }] };
  if (endpoint === 'embeddings' || endpoint.startsWith('responses')) return { input: 'Hello' };
  return endpoint === 'messages' ? { ...SAMPLE, max_tokens: 1_024 } : SAMPLE;
}

async function bodyOf(path: string): Promise<Record<string, unknown>> {
  const file = path === '-' ? Bun.stdin : Bun.file(path);
  let text: string;
  try {
    text = await file.text();
  } catch (cause) {
    throw new ExitError(1, `Cannot read ${path}: ${fileReason(cause)}`);
  }
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && !Array.isArray(body))
      return body as Record<string, unknown>;
  } catch (cause) {
    throw new ExitError(1, `Cannot read ${path}: it is not valid JSON (${(cause as Error).message})`);
  }
  throw new ExitError(1, `Cannot read ${path}: it is not a JSON object`);
}

function explained(make: () => Explanation): Explanation {
  try {
    return make();
  } catch (thrown) {
    if (thrown instanceof ProxyError) throw new ExitError(1, thrown.message);
    throw thrown;
  }
}

function render({ model, endpoint, matched_by, targets, failures }: Explanation): string {
  const width = widthOf(process.stdout);
  const rows = targets.map((target, index) => [
    `${index + 1}`,
    target.target,
    target.type,
    target.lane,
    `${target.tier}`,
    `${target.priority}`,
    `${target.weight}`,
  ]);
  const order = table(['', 'TARGET', 'TYPE', 'LANE', 'TIER', 'PRIORITY', 'WEIGHT'], rows, width);
  const follows = failures.map(({ fault, leads_to }) => [fault, leads_to]);
  return [
    fitted(
      `${model} at ${endpoint}, matched by ${matched_by}: tried in this order, as long as they are healthy`,
      width,
    ),
    order,
    '',
    ...targets.flatMap((target) => [...described(target, width), '']),
    'If the first of them fails',
    table(['FAULT', 'LEADS TO'], follows, width),
    '',
  ].join('\n');
}

function described(
  {
    target,
    url,
    protocol,
    headers,
    body,
    dropped,
    refused,
    covered_by,
    listed,
    facts,
    redacts,
  }: ExplainedTarget,
  width: number,
): string[] {
  // The request is shown as it is: only sentences are wrapped.
  const told = (text: string) => fitted(text, width);
  const lines = [told(`${target} (model ${covered_by}, protocol ${protocol})`)];
  if (listed !== null) lines.push(told(`  ${listed}`));
  for (const fact of facts) lines.push(told(`  known: ${fact}`));
  if (redacts.length > 0) lines.push(told(`  redacted before it is sent: ${redacts.join(', ')}`));
  if (refused !== null) return [...lines, told(`  not tried: ${refused}`)];
  if (url === null) return [...lines, '  answered by the proxy itself'];
  lines.push(`  POST ${url}`);
  for (const [name, value] of Object.entries(headers)) lines.push(`  ${name}: ${value}`);
  lines.push(`  ${JSON.stringify(body, null, 2).replaceAll('\n', '\n  ')}`);
  if (dropped.length > 0) lines.push(told(`  left out: ${dropped.join(', ')}`));
  return lines;
}
