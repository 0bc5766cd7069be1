/** The light or dark theme: the choice of the reader, or else the setting of the system. */

import { useEffect, useState } from 'preact/hooks';

/** The themes of the pages. */
export type Theme = 'light' | 'dark';

const STORAGE_KEY = 'embedmill.theme';
const CHANGE_EVENT = 'embedmill-theme';
const systemIsDark = matchMedia('(prefers-color-scheme: dark)');

/** Returns the theme in effect. */
export function currentTheme(): Theme {
  const chosen = localStorage.getItem(STORAGE_KEY);
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return systemIsDark.matches ? 'dark' : 'light';
}

/** Applies the theme to the document; called before the first render and after every change. */
export function applyTheme(): void {
  document.documentElement.dataset.theme = currentTheme();
}

/** Stores the choice permanently and applies it. */
export function chooseTheme(theme: Theme): void {
  localStorage.setItem(STORAGE_KEY, theme);
  applyTheme();
  dispatchEvent(new Event(CHANGE_EVENT));
}

/** Returns the theme in effect; rerenders the component when it changes. */
export function useTheme(): Theme {
  const [theme, setTheme] = useState(currentTheme);
  useEffect(() => {
    const update = () => {
      applyTheme();
      setTheme(currentTheme());
    };
    addEventListener(CHANGE_EVENT, update);
    systemIsDark.addEventListener('change', update);
    return () => {
      removeEventListener(CHANGE_EVENT, update);
      systemIsDark.removeEventListener('change', update);
    };
  }, []);
  return theme;
}
