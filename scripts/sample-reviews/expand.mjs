/** Expands sentence patterns such as `It {keeps|loses} its charge after {time}.` */

/**
 * Replaces the names of a pattern, innermost first, then draws one alternative of each choice.
 * @param {string} pattern `{a|b}` is a choice, possibly with an empty alternative; `{name}` stands for a word, and
 * `{Name}` for the same word capitalized
 * @param {Readonly<Record<string, string>>} words values of the names
 * @param {import('@embedmill/analysis').Random} random
 * @returns {string} a capitalized sentence
 * @throws {Error} for a name that is not in `words`
 */
export function expand(pattern, words, random) {
  const named = pattern.replace(/\{([A-Za-z]+)\}/g, (slot, name) => {
    const word = words[name.toLowerCase()];
    if (word === undefined) throw new Error(`the pattern "${pattern}" has the unknown name ${slot}`);
    return name === name.toLowerCase() ? word : capital(word);
  });
  const chosen = named.replace(/\{([^{}]*)\}/g, (_, choice) => random.pick(choice.split('|')));
  return capital(chosen.replace(/ {2,}/g, ' ').trim());
}

/**
 * The text with its first letter in upper case.
 * @param {string} text
 */
export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * The text with its first letter in lower case, unless it starts with the word "I".
 * @param {string} text
 */
export function uncapital(text) {
  return /^I\b/.test(text) ? text : text.charAt(0).toLowerCase() + text.slice(1);
}
