/** Previews the first rows of an export. */
import { writeFileSync } from 'node:fs';
import type { Settings } from '../export/options/settings.ts';
import type { Report } from '../export/report/report.ts';
import type { JsonObject } from '../wire/json.ts';
import { FORMATS } from '../export/render/all.ts';
import { openStagingFile } from '../export/write/staging-file.ts';
import { print, useColor } from './output.ts';
import { widthOf } from './wrap.ts';

/** The default number of rows. */
const PAGE_ROWS = 20;

export class RowCollector {
  readonly #settings: Settings;
  readonly #rows: JsonObject[] = [];
  /** The number of rows to show; 0 for none. */
  readonly wanted: number;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.wanted = settings.preview ?? (settings.previewHtml === undefined ? 0 : PAGE_ROWS);
  }

  readonly take = (lines: Uint8Array): void => {
    if (this.#rows.length >= this.wanted) return;
    const text = Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength);
    for (let from = 0; from < text.length && this.#rows.length < this.wanted;) {
      const end = text.indexOf(10, from);
      this.#rows.push(JSON.parse(text.toString('utf8', from, end)) as JsonObject);
      from = end + 1;
    }
  };

  /** Prints the collected rows, or writes them as a page. */
  async show(report: Report): Promise<void> {
    if (this.wanted === 0) return;
    const { plan, preview, previewHtml, sink } = this.#settings;
    const loss = plan.raw ? undefined : FORMATS[plan.format].loss;
    if (preview !== undefined) {
      const { previewText } = await import('../export/preview/text.ts');
      const look = { color: useColor(process.stdout), width: widthOf(process.stdout) };
      print(previewText(this.#rows, loss, look));
    }
    if (previewHtml === undefined) return;
    const { previewPage } = await import('../export/preview/page.ts');
    const file = openStagingFile(previewHtml, sink.force);
    try {
      writeFileSync(file.fd, previewPage(this.#rows, loss, report));
      await file.keep();
    } catch (error) {
      file.discard();
      throw error;
    }
  }
}
