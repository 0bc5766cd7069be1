/**
 * The API key of this browser tab: entered on the page Admin, sent with every request, forgotten with the
 * tab.
 */

const SLOT = 'embedmill.key';

/** The key; `null` when none was entered. */
export function storedKey(): string | null {
  return sessionStorage.getItem(SLOT);
}

/** Keeps the key until the tab closes; an empty one is forgotten. */
export function storeKey(key: string): void {
  if (key === '') sessionStorage.removeItem(SLOT);
  else sessionStorage.setItem(SLOT, key);
}

/** The header that carries the key; nothing without one. */
export function authorization(): Record<string, string> {
  const key = storedKey();
  return key === null ? {} : { authorization: `Bearer ${key}` };
}
