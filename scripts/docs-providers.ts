/** Writes docs/providers.md from the presets; `--check` only reports whether the page is stale. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROVIDER_TYPES } from '../src/config/presets.ts';
import { catalogue } from '../src/providers/catalogue.ts';
import { factsText, MODEL_FACTS, protocolFacts } from '../src/providers/facts-text.ts';
import { ABILITIES } from '../src/wire/facts/abilities.ts';
import { MOST_TEXTS } from '../src/wire/embeddings.ts';
import { NAME_RULES } from '../src/wire/facts/tool-names.ts';
import { quirksOf } from '../src/providers/quirks.ts';

const PATH = join(import.meta.dir, '..', 'docs/providers.md');

const rows = catalogue().map(
  ({ type, title, protocol, relays, auth, endpoints, drops, probe, list, tested }) => {
    const cells = [
      `\`${type}\``,
      title,
      protocol,
      relays.join(', ') || 'none',
      auth,
      endpoints.join(', '),
      drops.map((name) => `\`${name}\``).join(', ') || 'nothing',
      probe === null ? 'none' : `\`${probe}\``,
      list === null ? 'none' : list.startsWith('/') ? `\`${list}\`` : list,
      tested,
    ];
    return `| ${cells.join(' | ')} |`;
  },
);

const tellers = catalogue()
  .filter(({ tells_usage }) => tells_usage)
  .map(({ title }) => title);

/** The text, followed by a link to its source. */
function cited(text: string, source: string | undefined): string {
  return source === undefined ? text : `${text} ([source](${source}))`;
}

function modelsLike(match: RegExp): string {
  return match.source === '.' ? 'all others' : `models matching \`${match.source.replaceAll('|', '\\|')}\``;
}

/** A line for each vendor, followed by one for each of its model families that differs. */
const facts = PROVIDER_TYPES.flatMap((type) => {
  const { models = [], ...vendor } = quirksOf(type);
  const rows = models.flatMap(({ match, quirks }) => {
    const own = factsText(quirks);
    return own.length > 0 ? [`  - ${cited(`${modelsLike(match)}: ${own.join('; ')}`, quirks.source)}`] : [];
  });
  const own = factsText(vendor);
  if (own.length + rows.length === 0) return [];
  return [`- ${cited(`\`${type}\`: ${own.join('; ') || 'by model'}`, vendor.source)}`, ...rows];
});

/** The names of protocols as readers know them. */
const TITLES = {
  chat: 'OpenAI chat',
  responses: 'OpenAI Responses',
  messages: 'Anthropic Messages',
  gemini: 'Gemini',
  converse: 'Bedrock Converse',
  cohere: 'Cohere v2',
} as const;

const protocols = (Object.keys(NAME_RULES) as (keyof typeof TITLES)[]).flatMap((name) => [
  `- ${TITLES[name]}`,
  ...protocolFacts(name).map(({ text, source }) => `  - ${cited(text, source)}`),
  ...(MODEL_FACTS[name] ?? []).map(
    ({ match, text, source }) => `  - ${cited(`${modelsLike(match)}: ${text}`, source)}`,
  ),
]);

const texts = MOST_TEXTS.map(({ protocol, match, texts: most, source }) =>
  cited(
    `  - embeddings of \`${protocol}\`, ${modelsLike(match)}: ${most === 1 ? '1 text' : `${most} texts`} per request`,
    source,
  ),
);

const abilities = Object.entries(ABILITIES).map(([name, means]) => `| \`${name}\` | ${means} |`);

const text = `# Providers

Made by \`scripts/docs-providers.ts\` from \`src/config/presets.ts\` and \`src/providers/quirks.ts\`; do not edit it here.
\`llmproxy providers\` shows the same in the terminal.

- **Relayed**: the APIs that the vendor offers itself. Their bytes are forwarded unchanged, except for the model name, the
  credentials, fields that the vendor is known to reject, and the request for a stream's usage (below). Every other API that clients
  may use is translated.
- **Left out**: the fields of a chat request, among those that control the answer, that the vendor's newest model does not support.
  They are named in the header \`x-llmproxy-dropped\`; with \`unsupported: error\` in the route, the next target is tried
  instead. \`llmproxy explain\` shows what would be left out of a request.
- **Stored files**: in translated requests, a file that only one vendor can read (an ID of OpenAI's or Anthropic's, a file of the Gemini API,
  \`gs://\`, a YouTube video) is not sent to others: the next target is tried instead, and without another one the request gets a 400 that names
  the vendor. A gateway of OpenAI's APIs gets files of Gemini and Anthropic if the name of the model, or its \`like\`, says that it is theirs.
- **Several answers**: if a chat request asks for several answers (\`n\` up to 8) and the target gives only one per request, the proxy sends several
  requests in parallel and combines their results into one answer with several choices, streamed or not, with the tokens and cost of all of
  them. If one fails, the whole request fails. It counts as one request against the limits of its key, while every request
  sent to the provider counts towards its \`rate_limit\` and \`max_connections\`.
- **Probe**: the free endpoint that shows whether a provider that was down is available again.
- **Models**: where the provider's list of models comes from (\`discover_models\`). It is fetched in the background, with limits on time and size,
  and never while a request waits. Listed models that match the provider's \`models\` (by default, the vendor's own globs) appear in
  \`GET /v1/models\`, in the suggestions for an unknown model, and in \`llmproxy explain\`. The lists and their dates are kept in
  \`state/models.json\`. A list never keeps a request from a provider, since providers may serve models that they do not list. Of several
  workers, one fetches the lists for all.

| type | vendor | protocol | relayed | auth | endpoints | left out | probe | models | tested by |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

## What vendors and models take

How each vendor and model is known to differ from the protocol it uses, as defined in \`src/providers/quirks.ts\` and
\`src/providers/vendors\`. Both relayed and translated requests are adapted accordingly. \`llmproxy explain\` shows what applies to a
given model, line by line with its source. A server of type \`openai-compatible\` whose \`base_url\` is a vendor's own address is treated
as that vendor.

${facts.join('\n')}

And by protocol, for every vendor that uses it (\`src/wire/facts/protocols.ts\` and the tables of models beside each protocol):

${protocols.join('\n')}
- Embeddings of more texts than the following are split into several requests, eight at a time
${texts.join('\n')}

If a vendor changes something, you can say so in the configuration of a provider or of one of its models:

\`\`\`yaml
providers:
  - name: lab
    type: openai-compatible
    base_url: https://llm.example/v1
    api: chat                               # or responses: which of OpenAI's APIs to use for chats
    abilities: { vision: false, json_schema: false }
    context_window: 32768
    request:
      roles: { developer: system }          # rename roles
      system_first: true                    # later instructions become user messages
      efforts: [low, high]                  # others are replaced by the next lower one; [] for models that do not reason
      drop: [logit_bias]                    # removed, and named in x-llmproxy-dropped
      keep: [stop]                          # sent although the vendor is believed to reject it
      rename: { max_tokens: max_new_tokens, "reasoning.effort": effort }
      set: { safe_mode: true, chat_template_kwargs.thinking: true }
    models:
      - name: "deep-*"
        abilities: { vision: true }
        request: { drop: ["messages[].name"] }
      - { name: house-model, like: gpt-5.4 }  # an Azure deployment, or an inference profile of Bedrock
\`\`\`

\`drop\`, \`rename\` and \`set\` are applied in that order to the request that the provider receives, in terms of the provider's own
protocol, whichever protocol the client uses. Fields are named by their path: dots separate the names of nested objects, \`[]\` stands for
each element of a list, and a dot within a name is escaped with a backslash. \`set\` creates missing objects along the path; a field that
is renamed after a \`[]\` stays in its element.

\`abilities\` say what the provider's models, or one of them, support; they override what is known. Whatever is not supported is
removed from relayed and translated requests alike and named in \`x-llmproxy-dropped\`, or expressed in another way: a schema as
instructions, earlier calls and instructions as text.

| ability | means |
| --- | --- |
${abilities.join('\n')}

\`like\` makes a model be treated like another one whose name says more. A provider's \`context_window\` applies to all its models
that have none of their own.

## Usage of streams

A provider with OpenAI's API reports the tokens of a stream only on request (\`stream_options.include_usage\`). If the client
of a chat or completions stream does not request them, llmproxy does, so that the log, limits, budgets and prices know what was used.
The client receives the stream without them:

- \`"stream_options":{"include_usage":true},\` is inserted after the first brace of the request, or \`include_usage\` is added to the
  request's own options. All other bytes are the client's.
- The chunk that contains only the usage is removed from the stream, and so is \`"usage":null\`, which OpenAI then adds to all
  other chunks. All other bytes are the provider's. A chunk that contains anything else is left as it is, including its usage.
- ${tellers.join(', ')} report usage by default, so it is not requested from them.
- If a server rejects the field by name (400 or 422), the request is repeated at once without it, and so are all further requests until
  llmproxy restarts. This counts neither as a failure nor against \`routing.max_attempts\`. For a server that rejects the field
  without naming it, set \`ask_usage: off\`.

\`ask_usage\` of a provider is \`auto\` (the default), \`on\` (also for vendors that report usage by default) or \`off\` (never, not even when
another protocol is translated).

## Limits of providers

\`rate_limit\` limits how many requests per minute a provider receives, across all its models. On a model, it is an additional limit for
that model alone. An entry with a glob has one limit for all the models it matches.

\`\`\`yaml
providers:
  - name: openai
    type: openai
    rate_limit: 500                                   # requests a minute
    max_connections: 50                               # requests at once
    models:
      - gpt-4o-mini
      - { name: gpt-4o, rate_limit: { requests: 100, tokens: 200k } }
\`\`\`

- A full minute's allowance may be used at once; after that, it refills evenly: with 100 requests per minute, one every 600 ms. In the
  worst minute, this allows twice the limit, as do providers that refill evenly.
- **Tokens** are input plus output. Until its answer has ended, a request reserves the tokens it is expected to use: its text (one token
  per four characters or so) plus its own \`max_tokens\`, or else the model's \`max_output\`, or else \`limits.assumed_output\`. Then
  the reported usage counts, and the rest is released. Reserved and used tokens together never exceed the limit, except by the amount
  that answers use beyond their reservation: that must be paid off before further requests are sent, up to ten minutes' worth.
- An answer without reported usage counts by the length of its text; an answer that was cut off before it reported any counts as
  what was reserved. A request that was refused or reached no provider uses no tokens, but still counts as a request.
- A request that is expected to use more than a minute's allowance is sent when nothing else is in use.
- Targets with capacity left are tried first. If there are none, the request waits for at most \`routing.wait_budget\` and then gets
  a 429 that names the limits, with a Retry-After.
- Several workers ([workers.md](workers.md)) share these limits.

**Limits that providers report** in the headers of their answers are respected without any configuration:
\`x-ratelimit-{limit,remaining,reset}-{requests,tokens}\` as sent by OpenAI, and Anthropic's
\`anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset}\`. If nothing is left, or fewer tokens
than the text of a request needs, the key is not used for that model until enough has been refilled. Both vendors refill evenly, and
\`reset\` is when the limit is full again; if \`limit\` is reported too, the proxy computes the earlier time at which there is enough for the
request. Nothing is held back for longer than \`routing.max_retry_after\`, and implausible values are ignored. If answers arrive in a
different order than their requests were sent, the answer to the latest request counts, less what requests sent after it will use. Many
concurrent clients are therefore served one by one as capacity returns. Each worker knows only what its own answers reported.
`;

const current = ((): string => {
  try {
    return readFileSync(PATH, 'utf8');
  } catch {
    return '';
  }
})();

if (!process.argv.includes('--check')) writeFileSync(PATH, text);
else if (current !== text) {
  process.stderr.write('docs/providers.md is stale: run make docs\n');
  process.exitCode = 1;
}
