import type { RequestDetail } from '../api.ts';
import { span } from '../lib/format.ts';
import { useWidth } from '../lib/hooks.ts';

/** The attempts as bars along the duration of the request. */
export function Attempts({ detail }: { detail: RequestDetail }) {
  const { attempt_log: attempts, row } = detail;
  const [element, width] = useWidth<HTMLDivElement>();
  if (attempts.length === 0) return null;
  const sum = attempts.reduce((total, { ms }) => total + ms, 0);
  const whole = Math.max(row.latency_ms, sum, 1);
  const first = row.first_content_ms;
  // The log has the duration of each attempt until its answer began. The remaining time was spent waiting in between.
  const begun = Math.max(sum, first ?? row.latency_ms);
  const gap = attempts.length > 1 ? (begun - sum) / attempts.length : 0;
  let at = 0;
  const bars = attempts.map((attempt, index) => {
    const from = at + gap;
    at = from + attempt.ms;
    // A stream continues after its beginning.
    const answers = index === attempts.length - 1 && attempt.fault === null;
    return { attempt, from, to: at, end: answers ? whole : at };
  });
  const x = (ms: number) => (ms / whole) * width;
  return (
    <section aria-label="Attempts">
      <h3>{attempts.length === 1 ? 'Attempt' : `${attempts.length} attempts`}</h3>
      <div ref={element} class="attempts">
        <ol>
          {bars.map(({ attempt, from, to, end }, index) => (
            <li key={index}>
              <p>
                <span>{attempt.target}</span>
                {attempt.fault === null ? null : (
                  <span class="tag bad">
                    {attempt.fault.replaceAll('_', ' ')}
                    {attempt.status === null ? '' : ` ${attempt.status}`}
                  </span>
                )}
                <span class="muted number">{span(attempt.ms)}</span>
              </p>
              <svg width={width} height={8} aria-hidden="true">
                <rect class="track" width={width} height={8} rx={4} />
                {end > to ? (
                  <rect class="bar stream" x={x(from)} width={x(end - from)} height={8} rx={4} />
                ) : null}
                <rect
                  class={attempt.fault === null ? 'bar' : 'bar bad'}
                  x={x(from)}
                  width={Math.max(3, x(to - from))}
                  height={8}
                  rx={4}
                />
              </svg>
            </li>
          ))}
        </ol>
        <p class="faint axis">
          <span>0</span>
          <span>{first === null ? '' : `first content ${span(first)}`}</span>
          <span>{span(row.latency_ms)}</span>
        </p>
      </div>
    </section>
  );
}
