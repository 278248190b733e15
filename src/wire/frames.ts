const LF = 10;
const CR = 13;

/** How much is scanned between two pauses, bytes. */
const STRIDE = 1024 * 1024;

/**
 * The end of the last complete SSE event in these bytes: the index after its blank line, 0 when none is
 * complete. Lines may end with LF, CRLF or CR.
 */
export function lastEventEnd(bytes: Uint8Array): number {
  for (let index = bytes.length - 1; index > 0; index -= 1) {
    const byte = bytes[index];
    if (byte !== LF && byte !== CR) continue;
    const before = bytes[index - 1];
    if (byte === CR) {
      if (before === CR || before === LF) return index + 1;
    } else if (before === LF || (before === CR && index >= 2 && isLineEnd(bytes[index - 2]))) {
      return index + 1;
    }
  }
  return 0;
}

/** Whether a byte is part of a line end. */
export function isLineEnd(byte: number | undefined): boolean {
  return byte === LF || byte === CR;
}

/** Splits complete events, each with its blank line. @param bytes that end with an event */
export function* eachEvent(bytes: Uint8Array): Generator<Uint8Array> {
  for (const event of eventsAndPauses(bytes)) if (event) yield event;
}

/** The same, with nothing in between whenever a pause is due. */
export function* eventsAndPauses(bytes: Uint8Array): Generator<Uint8Array | undefined> {
  let start = 0;
  let empty = true;
  let pauseAt = STRIDE;
  for (let index = 0; index < bytes.length; index += 1) {
    if (index >= pauseAt) {
      pauseAt = index + STRIDE;
      yield undefined;
    }
    const byte = bytes[index];
    if (!isLineEnd(byte)) {
      empty = false;
      continue;
    }
    if (byte === CR && bytes[index + 1] === LF) index += 1;
    if (empty && index > start) {
      yield bytes.subarray(start, index + 1);
      start = index + 1;
    }
    empty = true;
  }
  if (start < bytes.length) yield bytes.subarray(start);
}

/** Concatenates two pieces; no copy when either is empty. */
export function joined(head: Uint8Array | undefined, tail: Uint8Array): Uint8Array {
  if (!head || head.length === 0) return tail;
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}
