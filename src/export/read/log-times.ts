import { timeOf } from '../../config/moment.ts';

/** A time as the log writer formats it: its minute, its seconds with milliseconds. */
const WRITTEN = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:)([0-5]\d)\.(\d{3})Z$/;
/** The position of the seconds. */
const MINUTE_CHARS = 17;

/** Parses the times of consecutive lines, many of which share a minute. */
export class LogTimes {
  #minute = '-';
  #minuteMs = 0;

  /** The same as `timeOf` returns. @returns milliseconds since the epoch, NaN when it is invalid */
  read(text: string): number {
    const written = text.startsWith(this.#minute) ? withinMinute(text) : NaN;
    if (!Number.isNaN(written)) return this.#minuteMs + written;
    const ms = timeOf(text);
    const match = Number.isNaN(ms) ? null : WRITTEN.exec(text);
    if (match) {
      this.#minute = match[1]!;
      this.#minuteMs = ms - Number(match[2]) * 1000 - Number(match[3]);
    }
    return ms;
  }
}

/** The milliseconds within the minute; NaN if they are not in the log writer's format. */
function withinMinute(text: string): number {
  const at = (place: number) => text.charCodeAt(MINUTE_CHARS + place) - ZERO;
  const digits = [at(0), at(1), at(3), at(4), at(5)];
  const sound = text.length === WRITTEN_CHARS && text[19] === '.' && text[23] === 'Z' && digits[0]! < 6;
  if (!sound || !digits.every((digit) => digit >= 0 && digit <= 9)) return NaN;
  const [tens, ones, tenths, hundredths, thousandths] = digits as [number, number, number, number, number];
  return tens * 10_000 + ones * 1_000 + tenths * 100 + hundredths * 10 + thousandths;
}

const ZERO = 0x30;
const WRITTEN_CHARS = 24;
