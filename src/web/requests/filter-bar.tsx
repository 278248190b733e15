import { useEffect, useRef, useState } from 'preact/hooks';
import { parseFilter } from '../filter/parse.ts';
import { Icon } from '../shell/icons.tsx';

interface FilterBarProps {
  readonly filter: string;
  readonly onFilter: (filter: string) => void;
  readonly placeholder?: string;
}

/** The filter field. The text is applied after a moment, or on Enter. */
export function FilterBar({
  filter,
  onFilter,
  placeholder = 'Filter: failed model:gpt key=web',
}: FilterBarProps) {
  const [text, setText] = useState(filter);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (document.activeElement !== field.current || filter === '') setText(filter);
  }, [filter]);
  useEffect(() => {
    if (text === filter) return;
    const timer = setTimeout(() => onFilter(text), 400);
    return () => clearTimeout(timer);
  }, [text]);
  const { problems } = parseFilter(text);
  return (
    <div class="filter">
      <form
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          onFilter(text);
          field.current?.blur();
        }}
      >
        <Icon name="search" />
        <input
          id="filter"
          ref={field}
          type="search"
          value={text}
          placeholder={placeholder}
          aria-label="Filter"
          aria-describedby="filter-problem"
          aria-invalid={problems.length > 0}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return;
            event.preventDefault();
            field.current?.blur();
          }}
        />
        <kbd aria-hidden="true">/</kbd>
      </form>
      <p id="filter-problem" class="problem">
        {problems.join('; ')}
      </p>
    </div>
  );
}

/** A filter with a word added or removed. */
export function withWord(filter: string, word: string, present: boolean): string {
  const words = filter.split(/\s+/).filter((each) => each !== '' && each !== word);
  return (present ? [word, ...words] : words).join(' ');
}
