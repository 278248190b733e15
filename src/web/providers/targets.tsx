import type { TargetState } from '../api.ts';
import { count, share, span } from '../lib/format.ts';

/** The models of a provider that were called. */
export function Targets({ targets }: { targets: readonly TargetState[] }) {
  return (
    <details>
      <summary>
        {targets.length} {targets.length === 1 ? 'model' : 'models'} called
      </summary>
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">Breaker</th>
            {['Calls', 'Answered', 'First p95'].map((title) => (
              <th key={title} scope="col" class="number">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {targets.map((target) => (
            <Row key={target.model} target={target} />
          ))}
        </tbody>
      </table>
    </details>
  );
}

function Row({ target }: { target: TargetState }) {
  const { model, breaker, resting, calls, success_rate: rate, first_content_p95_ms: first } = target;
  return (
    <tr>
      <td>{model}</td>
      <td>
        {breaker.replace('_', ' ')}
        {resting ? `, paused for ${span(resting.ms)} (${resting.fault})` : ''}
      </td>
      <td class="number">{count(calls)}</td>
      <td class="number">{rate === null ? '–' : share(rate, 1)}</td>
      <td class="number">{span(first)}</td>
    </tr>
  );
}
