/** Charts in screen pixels: text that is scaled with an image is too small on a phone. */
import { useState } from 'preact/hooks';
import { place } from '../lib/format.ts';
import { useWidth } from '../lib/hooks.ts';
import { labels } from './labels.ts';

export interface Series {
  readonly name: string;
  /** A class that sets its colour. */
  readonly color: string;
  /** One for each bucket; null where there is no value. */
  readonly values: readonly (number | null)[];
}

interface ChartProps {
  readonly title: string;
  readonly kind: 'bars' | 'lines';
  readonly series: readonly Series[];
  readonly fromMs: number;
  readonly stepMs: number;
  readonly format: (value: number) => string;
  /** Whether values are integers. */
  readonly whole?: boolean;
  /** A figure beside the title. */
  readonly total: string;
}

const HEIGHT = 190;
const TOP = 12;
const BOTTOM = 22;
const LEFT = 58;

export function Chart({ title, kind, series, fromMs, stepMs, format, whole = false, total }: ChartProps) {
  const [element, width] = useWidth<HTMLDivElement>();
  const [at, setAt] = useState<number>();
  const count = series[0]?.values.length ?? 0;
  const most = niceCeiling(Math.max(...heights(series, kind, count), 0), whole);
  const inner = Math.max(0, width - LEFT);
  const step = count > 0 ? inner / count : 0;
  const y = (value: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - (most === 0 ? 0 : value / most));
  const point = (event: PointerEvent & { currentTarget: Element }) => {
    const box = event.currentTarget.getBoundingClientRect();
    const index = Math.floor((event.clientX - box.left - LEFT) / step);
    setAt(index >= 0 && index < count ? index : undefined);
  };
  return (
    <figure class="card chart">
      <figcaption>
        <h2>{title}</h2>
        <span class="chart-total">{total}</span>
      </figcaption>
      <div ref={element} class="plot">
        {width > 0 && most > 0 ? (
          <svg
            width={width}
            height={HEIGHT}
            role="img"
            aria-label={`${title}: ${total}`}
            onPointerMove={point}
            onPointerDown={point}
            onPointerLeave={() => setAt(undefined)}
          >
            {[0, 0.5, 1].map((part) => (
              <g key={part}>
                <line class="grid" x1={LEFT} x2={width} y1={y(most * part)} y2={y(most * part)} />
                <text class="axis-text" x={LEFT - 8} y={y(most * part) + 4} text-anchor="end">
                  {format(most * part)}
                </text>
              </g>
            ))}
            {labels({ fromMs, stepMs, count, step }).map(({ index, text }) => (
              <text
                key={index}
                class="axis-text"
                x={Math.min(LEFT + (index + 0.5) * step, width - 18)}
                y={HEIGHT - 5}
                text-anchor="middle"
              >
                {text}
              </text>
            ))}
            {at === undefined ? null : (
              <rect class="cursor" x={LEFT + at * step} y={TOP} width={step} height={HEIGHT - TOP - BOTTOM} />
            )}
            {kind === 'bars' ? (
              <Bars series={series} count={count} step={step} y={y} />
            ) : (
              <Lines series={series} step={step} y={y} />
            )}
          </svg>
        ) : (
          <p class="nothing">No data in this period</p>
        )}
        {at === undefined || most === 0 ? null : (
          <Tip
            series={series}
            at={at}
            format={format}
            time={place(fromMs + at * stepMs, stepMs)}
            x={LEFT + (at + 0.5) * step}
            width={width}
          />
        )}
      </div>
    </figure>
  );
}

function Bars({
  series,
  count,
  step,
  y,
}: {
  series: readonly Series[];
  count: number;
  step: number;
  y: (value: number) => number;
}) {
  const gap = step > 8 ? Math.min(6, step * 0.25) : step > 3 ? 1 : 0;
  return (
    <>
      {Array.from({ length: count }, (_, index) => {
        let below = 0;
        return series.map(({ color, values }, each) => {
          const value = values[index] ?? 0;
          if (value <= 0) return null;
          const [bottom, top] = [y(below), y((below += value))];
          return (
            <rect
              key={`${index} ${each}`}
              class={`fill ${color}`}
              x={LEFT + index * step + gap / 2}
              y={top}
              width={Math.max(1, step - gap)}
              height={Math.max(0.5, bottom - top)}
              rx={Math.min(2, step / 4)}
            />
          );
        });
      })}
    </>
  );
}

function Lines({
  series,
  step,
  y,
}: {
  series: readonly Series[];
  step: number;
  y: (value: number) => number;
}) {
  return (
    <>
      {series.map(({ name, color, values }) => {
        const points = values.map((value, index) =>
          value === null ? undefined : ([LEFT + (index + 0.5) * step, y(value)] as const),
        );
        // Where there is no value the line continues to the next one.
        const known = points.filter((each) => each !== undefined);
        return (
          <g key={name}>
            <polyline
              class={`line ${color}`}
              points={known.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(' ')}
            />
            {known.map(([px, py]) => (
              <circle key={px} class={`fill ${color}`} cx={px} cy={py} r={known.length > 40 ? 1.5 : 2.5} />
            ))}
          </g>
        );
      })}
    </>
  );
}

interface TipProps {
  readonly series: readonly Series[];
  readonly at: number;
  readonly format: (value: number) => string;
  readonly time: string;
  readonly x: number;
  readonly width: number;
}

const TIP_WIDTH = 214;

function Tip({ series, at, format, time, x, width }: TipProps) {
  const shown = series.filter(({ values }) => (values[at] ?? 0) > 0);
  const left = Math.max(
    0,
    Math.min(width - TIP_WIDTH, x + 12 + TIP_WIDTH > width ? x - TIP_WIDTH - 12 : x + 12),
  );
  return (
    <div class="tip" style={{ left: `${left}px`, width: `${TIP_WIDTH}px` }}>
      <p class="muted">{time}</p>
      {shown.length === 0 ? <p class="faint">nothing</p> : null}
      {shown.toReversed().map(({ name, color, values }) => (
        <p key={name}>
          <i class={`swatch ${color}`} aria-hidden="true" />
          <span>{name}</span>
          <b>{format(values[at] ?? 0)}</b>
        </p>
      ))}
    </div>
  );
}

function heights(series: readonly Series[], kind: ChartProps['kind'], count: number): number[] {
  return Array.from({ length: count }, (_, index) => {
    const values = series.map(({ values: each }) => each[index] ?? 0);
    return kind === 'bars' ? values.reduce((sum, value) => sum + value, 0) : Math.max(0, ...values);
  });
}

/** A round number of at least this value. @param whole whether its half must be an integer as well */
function niceCeiling(value: number, whole: boolean): number {
  if (value <= 0) return 0;
  const power = 10 ** Math.floor(Math.log10(value));
  const times = whole && power <= 10 ? [2, 4, 6, 8, 10] : [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];
  return (times.find((each) => each * power >= value * 0.999) ?? 10) * power;
}
