/** A few options side by side, of which one is selected. */
export function Choice<Name extends string>({
  label,
  options,
  value,
  onChoose,
}: {
  label: string;
  options: Readonly<Record<Name, string>>;
  value: Name;
  onChoose: (name: Name) => void;
}) {
  return (
    <div class="choice" role="group" aria-label={label}>
      {(Object.entries(options) as [Name, string][]).map(([name, text]) => (
        <button key={name} type="button" aria-pressed={name === value} onClick={() => onChoose(name)}>
          {text}
        </button>
      ))}
    </div>
  );
}
