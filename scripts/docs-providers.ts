/** Writes docs/providers.md from the presets; `--check` only says whether it is stale. */
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

/** Where it stands, behind what it says. */
function cited(text: string, source: string | undefined): string {
  return source === undefined ? text : `${text} ([source](${source}))`;
}

function modelsLike(match: RegExp): string {
  return match.source === '.' ? 'all others' : `models like \`${match.source.replaceAll('|', '\\|')}\``;
}

/** A line for each vendor, and below it one for each family of its models that differs. */
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

/** How protocols are called where people read of them. */
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
  cited(`  - embeddings of \`${protocol}\`, ${modelsLike(match)}: ${most} texts in one request`, source),
);

const abilities = Object.entries(ABILITIES).map(([name, means]) => `| \`${name}\` | ${means} |`);

const text = `# Providers

Made by \`scripts/docs-providers.ts\` from \`src/config/presets.ts\` and \`src/providers/quirks.ts\`; do not edit it here.
\`llmproxy providers\` shows the same in the terminal.

- **Relayed** are the APIs that the vendor speaks itself: bytes pass unchanged, but for the model name, credentials and the
  fields that it is known to refuse, and what asks for the usage of a stream (below). Every other API that clients may use is translated.
- **Left out** are the fields of a chat request that the vendor's newest model does not take, of those that steer an answer.
  They are named in the header \`x-llmproxy-dropped\`; with \`unsupported: error\` in the route the next target is asked in
  place of that. \`llmproxy explain\` shows it for a request of yours.
- **Several answers** (\`n\` up to 8 of chat) are asked for one by one and side by side where a target gives one to a request, and told as one
  answer of several choices, whole or streamed, with the tokens and the cost of all. One that fails is the failure of all. It is one request
  to the limits of its key, and takes one place of \`rate_limit\` and \`max_connections\`.
- **Probe** is the free endpoint that tells whether a provider that was down is back.
- **Models** is where it is asked which models it has (\`discover_models\`): in the background, with a bound on time and size, and never
  for a request. What it lists and its \`models\` cover (the vendor's own globs when left out) is in \`GET /v1/models\`, in the names that an
  unknown model suggests, and in \`llmproxy explain\`. The lists are kept in \`state/models.json\` with their date; a list never keeps a
  request from a provider, since a model may be served that is on none. Of several workers one asks for all.

| type | vendor | protocol | relayed | auth | endpoints | left out | probe | models | tested by |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

## What vendors and models take

What each is known to do otherwise than the protocol it speaks, as data in \`src/providers/quirks.ts\` and \`src/providers/vendors\`; both relayed and translated requests
are changed by it. \`llmproxy explain\` shows what holds for a model of yours, line by line with its source. A server of type
\`openai-compatible\` whose \`base_url\` is a vendor's own is known by it.

${facts.join('\n')}

And by protocol, whoever speaks it (\`src/wire/facts/protocols.ts\` and the tables of models beside each protocol):

${protocols.join('\n')}
- Embeddings of more texts than these are asked for in several requests, eight at once
${texts.join('\n')}

What a vendor changes tomorrow can be said in the configuration, of a provider or of one of its models:

\`\`\`yaml
providers:
  - name: lab
    type: openai-compatible
    base_url: https://llm.example/v1
    api: chat                               # or responses: by which of OpenAI's APIs chats are asked
    abilities: { vision: false, json_schema: false }
    context_window: 32768
    request:
      roles: { developer: system }          # other names for roles
      system_first: true                    # later instructions become the user's words
      efforts: [low, high]                  # others become the next lower one; [] for models that do not reason
      drop: [logit_bias]                    # left out, and named in x-llmproxy-dropped
      keep: [stop]                          # sent although the vendor is thought to refuse it
      rename: { max_tokens: max_new_tokens, "reasoning.effort": effort }
      set: { safe_mode: true, chat_template_kwargs.thinking: true }
    models:
      - name: "deep-*"
        abilities: { vision: true }
        request: { drop: ["messages[].name"] }
      - { name: house-model, like: gpt-5.4 }  # an Azure deployment, or an inference profile of Bedrock
\`\`\`

\`drop\`, \`rename\` and \`set\` happen in that order to the fields of the request that the provider is sent, in the words of its own protocol,
whatever the client speaks. Fields are named by their places: dots lead into objects, \`[]\` stands for each element of a list, and a dot
that is part of a name has a backslash before it. \`set\` makes the objects on its way; what is renamed behind a \`[]\` stays in its
element.

\`abilities\` say what the provider's models, or one of them, take and what they do not, over what is known. What is not taken is left
out of relayed and translated requests alike and named in \`x-llmproxy-dropped\`, or said in another way: a schema in words, earlier
calls and instructions as text.

| ability | means |
| --- | --- |
${abilities.join('\n')}

\`like\` gives a model the facts of another one whose name tells more than its own. \`context_window\` of the provider holds for all
its models that have none of their own.

## Usage of streams

A provider of OpenAI's API tells the tokens of a stream when it is asked for them (\`stream_options.include_usage\`). Where the client
of a chat or completions stream does not ask, llmproxy does, so that the log, limits, budgets and prices know what was used; the
client is given the stream without it:

- The request gets \`"stream_options":{"include_usage":true},\` behind its first brace, or options of its own get the usage in
  them. Every other byte is the client's.
- The chunk that tells nothing but the usage is taken out of the stream, and so is \`"usage":null\`, which OpenAI adds to all
  others then. Every other byte is the provider's. A chunk that also says something stays as it is, usage and all.
- ${tellers.join(', ')} tell the usage anyway and are not asked.
- A server that refuses the field by its name (400 or 422) is asked again at once and from then on without, until llmproxy is
  started anew. Nobody is blamed, and it is none of \`routing.max_attempts\`. One that refuses it without naming it needs
  \`ask_usage: off\`.

\`ask_usage\` of a provider is \`auto\` (the default), \`on\` (also of vendors that tell it anyway) or \`off\` (never, also not where
another protocol is translated).

## Limits of providers

\`rate_limit\` says how often a provider is asked in a minute, by all its models together; at one of its models it says the
same for that model alone, beside the provider's own. A row with a glob has one limit for all models that it covers.

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

- A minute's worth may be used at once, then as much as comes back: 100 requests a minute are one every 600 ms. In the worst
  minute that is twice the limit, as providers that refill evenly allow it too.
- **Tokens** are those in and out. A request holds what it is expected to use until its answer has ended: its text (a token
  for about four characters) and its own \`max_tokens\`, else the model's \`max_output\`, else \`limits.assumed_output\`. Then
  what the answer told counts, and the rest is given back. What is held and what is used are never more together than the
  limit, by so much as answers use more than was held: that is paid off before others follow, up to ten minutes' worth.
- An answer that tells no usage counts as its text is long; one that was cut before it told anything, as what was held. A request
  that was refused, or reached nobody, uses no tokens; it is a request all the same.
- A request that is expected to use more than a minute's worth passes when nothing else is used.
- Targets that have room are asked first. Where none has, the request waits for \`routing.wait_budget\` at most, then the answer is
  a 429 that names the limits, with a Retry-After.
- Several workers ([workers.md](workers.md)) keep these limits together.

**What providers tell** of their own limits in the headers of their answers is kept to without any configuration:
\`x-ratelimit-{limit,remaining,reset}-{requests,tokens}\` as OpenAI sends them, and Anthropic's
\`anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset}\`. Where nothing is left, or fewer tokens
than a request's own text has, the key is not asked for that model until there is enough again. Both refill evenly, and
\`reset\` is when all is there; where \`limit\` is told too, what a request needs is there sooner than that. Nothing is held back
for longer than \`routing.max_retry_after\`, and values that make no sense are ignored. Of answers that come in another order
than their requests were sent, that of the last request counts, and requests that were sent after it have taken theirs: many clients
at once are sent one by one as there is room. Each worker knows what its own answers told.
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
