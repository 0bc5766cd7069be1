/** Light or dark: as the system wants it, unless the reader has chosen; charts are told when it changes. */

import { useEffect, useState } from 'preact/hooks';

export type Theme = 'light' | 'dark';

const SLOT = 'embedmill.theme';
const CHANGED = 'embedmill-theme';
const systemIsDark = matchMedia('(prefers-color-scheme: dark)');

/** What is shown now. */
export function currentTheme(): Theme {
  const chosen = localStorage.getItem(SLOT);
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return systemIsDark.matches ? 'dark' : 'light';
}

/** Shows the theme; called once before the first page is drawn, and after every change. */
export function showTheme(): void {
  document.documentElement.dataset.theme = currentTheme();
}

/** Keeps the choice, also for the next visit. */
export function chooseTheme(theme: Theme): void {
  localStorage.setItem(SLOT, theme);
  showTheme();
  dispatchEvent(new Event(CHANGED));
}

/** What is shown now; draws the component again when it changes. */
export function useTheme(): Theme {
  const [theme, setTheme] = useState(currentTheme);
  useEffect(() => {
    const look = () => {
      showTheme();
      setTheme(currentTheme());
    };
    addEventListener(CHANGED, look);
    systemIsDark.addEventListener('change', look);
    return () => {
      removeEventListener(CHANGED, look);
      systemIsDark.removeEventListener('change', look);
    };
  }, []);
  return theme;
}
