/** A file of one JSON value per line, imported as text. */
declare module '*.jsonl' {
  const text: string;
  export default text;
}
