/** The sentence for a producer that does not answer, which only its clients can say. */

/** `The producer at http://… does not answer: no response from … (ECONNREFUSED).` */
export function doesNotAnswer(server: string, { message }: Error): string {
  return `The producer at ${server} does not answer: ${message}.`;
}
