import { useEffect } from 'preact/hooks';

/** The actions of keys, by name. */
export type Shortcuts = Readonly<Record<string, (event: KeyboardEvent) => void>>;

/** Listens for keys while no field has the focus; Escape works everywhere. */
export function useShortcuts(shortcuts: Shortcuts): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (event.key !== 'Escape' && isTyping(event.target)) return;
      const action = Object.hasOwn(shortcuts, event.key) ? shortcuts[event.key] : undefined;
      action?.(event);
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  });
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
