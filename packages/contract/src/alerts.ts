/** Alerts that Prometheus fires and Alertmanager sends to the producer, which shows them. */

/** One firing alert. */
export interface Alert {
  /** Name of the rule, such as `EmbedmillNoWorkers`. */
  name: string;
  /** Label `severity` of the rule: `critical`, `warning`, or what a rule of the operator says; empty without one. */
  severity: string;
  /** What is wrong, as a sentence. */
  summary: string;
  /** Page that says what to do; `null` without one. */
  runbookUrl: string | null;
  /** When it began to fire, ISO 8601. */
  startsAt: string;
}
