import { Copy } from '../lib/copy.tsx';
import { useFetched } from '../lib/hooks.ts';

export function Config() {
  const { answer, problem } = useFetched<{ yaml: string }>('config');
  if (!answer)
    return (
      <p class="empty" role={problem ? 'alert' : undefined}>
        {problem ?? 'Looking…'}
      </p>
    );
  return (
    <section class="card flush" aria-label="Configuration">
      <div class="bar between">
        <p class="muted">
          The configuration in force, with all defaults. Keys and secrets are masked.{' '}
          <code>docs/config.md</code> explains each.
        </p>
        <Copy text={answer.yaml} what="the configuration" label="Copy" />
      </div>
      <pre class="yaml" tabIndex={0} aria-label="YAML">
        {answer.yaml.split('\n').map((line, index) => (
          <Line key={index} line={line} />
        ))}
      </pre>
    </section>
  );
}

/** A line of YAML, with its key separate from its value. */
function Line({ line }: { line: string }) {
  const [, indent = '', key, value = ''] = /^(\s*(?:- )?)([^\s:#"'][^:]*):(.*)$/.exec(line) ?? [];
  if (line.trimStart().startsWith('#')) return <span class="comment">{`${line}\n`}</span>;
  if (key === undefined) return <span>{`${line}\n`}</span>;
  return (
    <span>
      {indent}
      <b>{key}</b>:{value.includes('[masked]') || value.includes('[redacted]') ? <em>{value}</em> : value}
      {'\n'}
    </span>
  );
}
