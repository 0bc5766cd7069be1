/** The public surface of `@embedmill/client`: speaks to a producer from Node or a browser, with nothing but `fetch`. */

export { EmbedmillClient } from './client.ts';
export { ApiError, ClientError, PassingFault } from './errors.ts';
export type { CallOptions, ClientOptions } from './http.ts';
export { type Patience, withPatience } from './patience.ts';
export type { SendRowsOptions, SentRows } from './send-rows.ts';
export type * from './types.ts';
export type { ReadVectorsOptions, VectorBatch } from './vectors.ts';
export type { WaitOptions } from './wait.ts';
