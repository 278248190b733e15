/** Light or dark: as in the system settings, or as selected. */
export type Theme = 'system' | 'light' | 'dark';

const PLACE = 'llmproxy-theme';

export function chosenTheme(): Theme {
  const chosen = localStorage.getItem(PLACE);
  return chosen === 'light' || chosen === 'dark' ? chosen : 'system';
}

export function applyTheme(theme: Theme = chosenTheme()): void {
  if (theme === 'system') {
    localStorage.removeItem(PLACE);
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem(PLACE, theme);
    document.documentElement.dataset.theme = theme;
  }
}

/** The next of the three themes. */
export function nextTheme(theme: Theme): Theme {
  return theme === 'system' ? 'light' : theme === 'light' ? 'dark' : 'system';
}
