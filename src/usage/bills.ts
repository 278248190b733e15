/** Reads what providers charged from the CSV files that they offer for download. */
import { UsageError } from './options.ts';

/** The content of one row of a bill. A field is null if the bill has no such column. */
export interface BillRow {
  /** UTC, as YYYY-MM-DD. */
  readonly day: string;
  /** The name in the bill; null if the row covers all models. */
  readonly model: string | null;
  readonly requests: number | null;
  /** Including cached ones. */
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  /** USD. */
  readonly cost: number | null;
}

export interface Bill {
  /** The vendor's id in the price table. */
  readonly vendor: 'openai' | 'anthropic' | 'openrouter';
  /** Which of the vendor's files it is, in words. */
  readonly title: string;
  readonly rows: readonly BillRow[];
  /** The number of rows without a date, or with an amount that is not a number. */
  readonly unreadable: number;
}

/** The text of the first of these columns that is not empty. */
type Cells = (...names: readonly string[]) => string;

/** The same as a number: null for an empty cell, NaN for anything that is not a number. */
type Amounts = (...names: readonly string[]) => number | null;

interface Kind {
  readonly vendor: Bill['vendor'];
  readonly title: string;
  /** The columns that identify it, all of which must be present. */
  readonly columns: readonly string[];
  readonly read: (cells: Cells, amount: Amounts) => BillRow;
}

/**
 * The known files, by the columns that they must have; further columns are ignored. Column names are as found in such
 * files, in lower case and with underscores for spaces.
 */
const KINDS: readonly Kind[] = [
  {
    vendor: 'openai',
    title: "OpenAI's costs",
    columns: ['start_time_iso', 'amount_value'],
    read(cells, amount) {
      // "gpt-5-nano, input_tokens": the kind of tokens; their number is in another column.
      const [model, what = ''] = cells('line_item').split(/\s*,\s*/);
      const quantity = cells('quantity_unit', 'usage_type') === 'tokens' ? amount('quantity') : null;
      return {
        day: dayOf(cells('start_time_iso')),
        model: model || null,
        requests: null,
        input_tokens: /input/.test(what) ? quantity : null,
        output_tokens: /output/.test(what) ? quantity : null,
        cost: amount('amount_value'),
      };
    },
  },
  {
    vendor: 'openai',
    title: "OpenAI's usage",
    columns: ['start_time_iso', 'input_tokens'],
    read: (cells, amount) => ({
      day: dayOf(cells('start_time_iso')),
      model: cells('model') || null,
      requests: amount('num_model_requests'),
      input_tokens: amount('input_tokens'),
      output_tokens: amount('output_tokens'),
      cost: null,
    }),
  },
  {
    vendor: 'anthropic',
    title: "Anthropic's costs",
    columns: ['usage_date_utc', 'cost_usd'],
    read: (cells, amount) => ({
      day: dayOf(cells('usage_date_utc')),
      model: cells('model', 'model_version') || null,
      requests: null,
      input_tokens: null,
      output_tokens: null,
      cost: amount('cost_usd'),
    }),
  },
  {
    vendor: 'anthropic',
    title: "Anthropic's usage",
    columns: ['usage_date_utc', 'usage_output_tokens'],
    read: (cells, amount) => ({
      day: dayOf(cells('usage_date_utc')),
      model: cells('model_version', 'model') || null,
      requests: null,
      input_tokens: sum([
        amount('usage_input_tokens_no_cache'),
        amount('usage_input_tokens_cache_write'),
        amount('usage_input_tokens_cache_write_5m'),
        amount('usage_input_tokens_cache_write_1h'),
        amount('usage_input_tokens_cache_read'),
      ]),
      output_tokens: amount('usage_output_tokens'),
      cost: null,
    }),
  },
  {
    vendor: 'openrouter',
    title: "OpenRouter's generations",
    columns: ['created_at', 'cost_total', 'model_permaslug'],
    read: (cells, amount) => ({
      day: dayOf(cells('created_at')),
      model: cells('model_permaslug') || null,
      requests: 1,
      input_tokens: amount('tokens_prompt'),
      output_tokens: amount('tokens_completion'),
      cost: amount('cost_total'),
    }),
  },
  {
    vendor: 'openrouter',
    title: "OpenRouter's activity",
    columns: ['date', 'usage', 'requests', 'prompt_tokens'],
    read: (cells, amount) => ({
      day: dayOf(cells('date')),
      model: cells('model_permaslug', 'slug', 'model') || null,
      requests: amount('requests'),
      input_tokens: amount('prompt_tokens'),
      output_tokens: amount('completion_tokens'),
      cost: amount('usage'),
    }),
  },
];

/**
 * @param name of the file, for messages
 * @param table including its header
 * @throws UsageError that names the columns when the file is not recognised
 */
export function readBill(name: string, [header = [], ...lines]: readonly (readonly string[])[]): Bill {
  const columns = header.map(columnName);
  const kind = KINDS.find((each) => each.columns.every((column) => columns.includes(column)));
  if (!kind) throw unknown(name, header);
  const toNumber = lines.some((line) => line.some(provesDecimalComma)) ? withDecimalComma : withDecimalPoint;
  const rows: BillRow[] = [];
  let unreadable = 0;
  for (const [index, line] of lines.entries()) {
    const cells: Cells = (...names) => {
      const at = columns.findIndex((column, index) => names.includes(column) && (line[index] ?? '') !== '');
      return at < 0 ? '' : line[at]!.trim();
    };
    const currency = cells('amount_currency', 'currency');
    if (currency !== '' && currency.toUpperCase() !== 'USD') throw otherCurrency(name, index, currency);
    const row = kind.read(cells, (...names) => number(cells(...names), toNumber));
    const figures = [row.requests, row.input_tokens, row.output_tokens, row.cost].filter(
      (each) => each !== null,
    );
    if (row.day === '' || figures.some(Number.isNaN)) unreadable += 1;
    // Days without usage have a row without numbers.
    else if (figures.length > 0) rows.push(row);
  }
  return { vendor: kind.vendor, title: kind.title, rows, unreadable };
}

/** @param index of the row, without the header */
function otherCurrency(name: string, index: number, currency: string): UsageError {
  return new UsageError(
    `Cannot compare with ${name}: row ${index + 2} is in ${currency.slice(0, 20)}, and costs are counted in USD`,
  );
}

function unknown(name: string, header: readonly string[]): UsageError {
  const found = header.length === 0 ? 'it is empty' : `its columns are ${header.join(', ')}`;
  const known = KINDS.map(({ title, columns }) => `${title} (${columns.join(', ')})`).join('; ');
  return new UsageError(`Cannot compare with ${name}: ${found}. Known files and their columns: ${known}`);
}

/** "Prompt Tokens" to "prompt_tokens". */
function columnName(head: string): string {
  return head
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_');
}

/** The date of a time; empty if it is invalid. Times without an offset are UTC. */
function dayOf(time: string): string {
  const [, day] = /^(\d{4}-\d\d-\d\d)(?:$|[T ])/.exec(time) ?? [];
  if (day === undefined) return '';
  const offset = /[+-]\d\d:?\d\d$/.test(time.slice(10)) && !/[+-]00:?00$/.test(time);
  const ms = offset ? Date.parse(time.replace(' ', 'T')) : NaN;
  return Number.isNaN(ms) ? day : new Date(ms).toISOString().slice(0, 10);
}

/** Also parses "$1,234.50", "0.5 USD" and "(0.50)" for a credit. */
function number(text: string, toNumber: (digits: string) => number): number | null {
  if (text === '') return null;
  const [, minus, digits = ''] = /^(-?\()?([^()]*)\)?$/.exec(bare(text)) ?? [];
  const value = digits === '' ? NaN : toNumber(digits);
  return Number.isFinite(value) ? (minus === undefined ? value : -value) : NaN;
}

function bare(text: string): string {
  return text.replaceAll(/[$\s]|USD/gi, '');
}

/** As in "1,234.50", with commas between thousands only. */
function withDecimalPoint(digits: string): number {
  return Number(GROUPED.test(digits) ? digits.replaceAll(',', '') : digits);
}

/** As in much of Europe: "0,5" or "1.234,50". */
function withDecimalComma(digits: string): number {
  return Number(DECIMAL_COMMA.test(digits) ? digits.replaceAll('.', '').replace(',', '.') : digits);
}

/** "1,234" may be either; the other amounts of a file tell. */
function provesDecimalComma(cell: string): boolean {
  const digits = bare(cell);
  return DECIMAL_COMMA.test(digits) && !GROUPED.test(digits);
}

const GROUPED = /^-?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?$/;
const DECIMAL_COMMA = /^-?(?:\d{1,3}(?:\.\d{3})+|\d+),\d+$/;

function sum(amounts: readonly (number | null)[]): number | null {
  const numbers = amounts.filter((each) => each !== null);
  return numbers.length === 0 ? null : numbers.reduce((total, each) => total + each, 0);
}
