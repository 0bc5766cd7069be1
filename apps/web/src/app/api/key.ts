/** The API key: entered on the Admin page, sent with every request, kept until the tab is closed. */

const STORAGE_KEY = 'embedmill.key';

/** Returns the key; `null` if none is stored. */
export function storedKey(): string | null {
  return sessionStorage.getItem(STORAGE_KEY);
}

/** Stores the key until the tab is closed; an empty key removes it. */
export function storeKey(key: string): void {
  if (key === '') sessionStorage.removeItem(STORAGE_KEY);
  else sessionStorage.setItem(STORAGE_KEY, key);
}

/** Returns the `Authorization` header for the stored key; no header without a key. */
export function authorization(): Record<string, string> {
  const key = storedKey();
  return key === null ? {} : { authorization: `Bearer ${key}` };
}
