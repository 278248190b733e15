/** The page of what the suites say. */
import type { UpstreamName } from './rig.ts';
import type { Marks, Suite } from './suites.ts';
import { FAILED, SKIPPED } from './excuses.ts';
import { UPSTREAMS } from './rig.ts';

/** What a suite said, by what the provider speaks; nothing where it could not be run. */
export interface Row {
  readonly suite: Suite;
  readonly marks: Map<UpstreamName, Marks>;
}

const TITLES: Readonly<Record<UpstreamName, string>> = {
  mock: 'mock',
  chat: 'OpenAI chat',
  responses: 'Responses',
  anthropic: 'Anthropic',
  gemini: 'Gemini',
  bedrock: 'Bedrock',
  cohere: 'Cohere',
};

/** The page as Markdown. */
export function compatibilityPage(rows: readonly Row[]): string {
  return `# Compatibility

Results of public third-party test suites. Each suite acts as a client of its protocol and checks the answers; the column names the protocol of the
provider behind llmproxy. Where both protocols are the same, requests are relayed; everywhere else they are translated. Made by
\`make comply\`; do not edit it here.

| suite | ${UPSTREAMS.map((name) => TITLES[name]).join(' | ')} |
| --- | ${UPSTREAMS.map(() => '---').join(' | ')} |
${rows.map(line).join('\n')}

Numbers are tests passed, out of those that ran. Suites: ${sources(rows)}.

The model behind all of them is the built-in mock, so that results are comparable: it follows simple instructions, calls tools
with arguments that match their schemas, and follows the schema for an answer. It does not reason. For Bedrock and Cohere, the same model
is called through small servers with their protocols (\`test/comply\`). Files that LangChain's tests download are replaced with small ones of the
same kind if there is no internet access.

## Tests that failed

${missing(rows)}

## Tests that did not run

${skipped(rows)}
`;
}

function line({ suite, marks }: Row): string {
  if (suite.lacks !== undefined) return `| ${suite.name} | ${UPSTREAMS.map(() => '–').join(' | ')} |`;
  const cells = UPSTREAMS.map((name) => {
    const { passed, failed } = marks.get(name)!;
    return failed.length === 0 ? `**${passed} of ${passed}**` : `${passed} of ${passed + failed.length}`;
  });
  return `| ${suite.name} | ${cells.join(' | ')} |`;
}

function sources(rows: readonly Row[]): string {
  return [...new Set(rows.map(({ suite }) => suite.source))].join(', ');
}

function missing(rows: readonly Row[]): string {
  const told = rows.flatMap(({ suite, marks }) => grouped(suite.name, marks, FAILED, ({ failed }) => failed));
  const unfetched = rows
    .filter(({ suite }) => suite.lacks !== undefined)
    .map(({ suite }) => `- ${suite.name}: not run, ${suite.lacks}.`);
  return [...unfetched, ...told].join('\n') || 'None.';
}

function skipped(rows: readonly Row[]): string {
  return (
    rows
      .flatMap(({ suite, marks }) => grouped(suite.name, marks, SKIPPED, ({ skipped: some }) => some))
      .join('\n') || 'None.'
  );
}

/** One line for each test, with the columns that it is about. */
function grouped(
  suite: string,
  marks: Row['marks'],
  excuses: typeof FAILED,
  of: (marks: Marks) => readonly { readonly test: string; readonly why: string }[],
): string[] {
  const where = new Map<string, { why: string; names: UpstreamName[] }>();
  for (const [name, told] of marks)
    for (const { test, why } of of(told)) {
      const known = where.get(test) ?? { why, names: [] };
      known.names.push(name);
      where.set(test, known);
    }
  return [...where].map(([test, { why, names }]) => {
    const all = names.length === marks.size ? 'everywhere' : names.map((name) => TITLES[name]).join(', ');
    const reason = excuses.find(([pattern]) => pattern.test(`${suite} ${test}`))?.[1] ?? oneLine(why);
    return `- ${suite}, \`${test}\` (${all}): ${reason}`;
  });
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '/').slice(0, 200);
}
