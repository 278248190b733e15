import type { FeedbackRow } from '../api.ts';
import { moment } from '../lib/format.ts';

/** The feedback on the answer. */
export function Feedback({ rows }: { rows: readonly FeedbackRow[] }) {
  if (rows.length === 0) return null;
  return (
    <section aria-label="Feedback">
      <h3>Feedback</h3>
      <ul class="feedback">
        {rows.map((row, index) => (
          <li key={index}>
            <p>
              <Judgement row={row} /> <span class="faint">{moment(row.ts)}</span>
            </p>
            {row.comment === null ? null : <p class="said">{row.comment}</p>}
            {row.correction === null ? null : (
              <p class="said">
                <span class="tag">correction</span> {row.correction}
              </p>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Judgement({ row: { score, label } }: { row: FeedbackRow }) {
  const good = label ?? (score === null ? null : score > 0);
  const words = [
    ...(label === null ? [] : [label ? 'good' : 'bad']),
    ...(score === null ? [] : [`score ${score}`]),
  ];
  return (
    <span class={good === null ? 'tag' : good ? 'tag ok' : 'tag bad'}>{words.join(', ') || 'comment'}</span>
  );
}
