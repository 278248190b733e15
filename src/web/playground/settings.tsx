import type { ComponentChildren } from 'preact';
import type { Session } from '../api.ts';

/** The settings of requests as typed: empty for the model's default. */
export interface Settings {
  /** Empty for the first model. */
  readonly model: string;
  readonly system: string;
  readonly temperature: string;
  readonly longest: string;
}

interface SettingsProps {
  readonly session: Session;
  readonly settings: Settings;
  readonly onChange: (change: Partial<Settings>) => void;
  /** The names of the available models. */
  readonly models: readonly string[];
}

/** On screens up to this width the conversation comes first, pixels. */
const NARROW = 760;

export function SettingsCard({ session, settings, onChange, models }: SettingsProps) {
  const { model, system, temperature, longest } = settings;
  return (
    <section class="card settings" aria-label="Settings">
      {session.asks ? null : (
        <p class="note">The key {session.key ?? ''} may only read ops pages, and cannot use models.</p>
      )}
      <label>
        Model
        <input
          value={model}
          list="models"
          placeholder={models[0] ?? 'gpt-4o'}
          autocomplete="off"
          onFocus={(event) => event.currentTarget.select()}
          onInput={(event) => onChange({ model: event.currentTarget.value })}
        />
      </label>
      <datalist id="models">
        {models.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <details open={innerWidth > NARROW}>
        <summary>System prompt and limits</summary>
        <label>
          System prompt
          <textarea
            rows={4}
            value={system}
            onInput={(event) => onChange({ system: event.currentTarget.value })}
          />
        </label>
        <div class="pair">
          <NumberField
            value={temperature}
            placeholder="default"
            step="0.1"
            onInput={(value) => onChange({ temperature: value })}
          >
            Temperature
          </NumberField>
          <NumberField
            value={longest}
            placeholder="tokens"
            step="1"
            onInput={(value) => onChange({ longest: value })}
          >
            Longest answer
          </NumberField>
        </div>
      </details>
      <p class="faint">
        Requests go the same way as those of programs
        {session.key === null ? '' : `, in the name of the key ${session.key}`}: they are logged, limited and
        paid for.
      </p>
    </section>
  );
}

interface NumberFieldProps {
  readonly value: string;
  readonly placeholder: string;
  readonly step: string;
  readonly onInput: (value: string) => void;
  readonly children: ComponentChildren;
}

function NumberField({ value, placeholder, step, onInput, children }: NumberFieldProps) {
  return (
    <label>
      {children}
      <input
        type="number"
        min="0"
        step={step}
        value={value}
        placeholder={placeholder}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </label>
  );
}

/** The request for settings and a conversation. */
export function requestOf(
  { model, system, temperature, longest }: Settings,
  turns: readonly { readonly role: string; readonly text: string }[],
): object {
  return {
    model,
    stream: true,
    stream_options: { include_usage: true },
    messages: [
      ...(system.trim() === '' ? [] : [{ role: 'system', content: system }]),
      ...turns.map(({ role, text }) => ({ role, content: text })),
    ],
    ...(temperature === '' ? {} : { temperature: Number(temperature) }),
    ...(longest === '' ? {} : { max_tokens: Number(longest) }),
  };
}
