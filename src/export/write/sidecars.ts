/**
 * Sidecars, the files beside the rows: the card that loaders read, the manifest, the dataset_info.json of
 * LLaMA-Factory.
 */
import type { ExportOptions } from '../job.ts';
import type { Report } from '../report/report.ts';
import type { ExtraFile } from './sink.ts';
import { cardText } from './card.ts';
import { FORMATS } from '../render/all.ts';
import { datasetInfo } from './dataset-info.ts';
import { reportText } from '../report/report.ts';

export function sidecarsOf(report: Report, { sink, plan, manifest }: ExportOptions): ExtraFile[] {
  const sidecars: ExtraFile[] = [];
  if (manifest !== undefined) sidecars.push({ path: manifest, text: reportText(report) });
  if (sink.shape !== 'directory') return sidecars;
  sidecars.push({ name: 'manifest.json', text: reportText(report) });
  if (plan.raw) return sidecars;
  const format = FORMATS[plan.format];
  sidecars.push({
    name: 'README.md',
    text: cardText({ report, format, columns: sink.columns!, parquet: sink.parquet }),
  });
  const [first] = report.outputs;
  const known = (['sharegpt', 'alpaca', 'openai'] as const).find((name) => name === plan.format);
  if (known && first)
    sidecars.push({
      name: 'dataset_info.json',
      text: `${JSON.stringify(datasetInfo(known, first.path), null, 2)}\n`,
    });
  return sidecars;
}
