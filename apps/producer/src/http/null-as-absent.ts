/** Treats null like an absent field in the bodies of all APIs: many clients send null for options that are not set. */

import * as z from 'zod';

/**
 * The value of a request without its fields that are null and optional, at any depth of objects and arrays. Required
 * fields keep their null, so that an error shows it.
 * @param schema the schema that checks the value
 */
export function withoutNulls(schema: z.core.$ZodType, given: unknown): unknown {
  const inner = innermost(schema);
  if (Array.isArray(given)) {
    const isOfObjects = inner instanceof z.ZodArray && innermost(inner.element) instanceof z.ZodObject;
    return isOfObjects ? given.map((element) => withoutNulls(inner.element, element)) : given;
  }
  if (!(inner instanceof z.ZodObject) || typeof given !== 'object' || given === null) return given;
  const { shape } = inner;
  // Not a spread: a key `__proto__` stays a key.
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]): [string, unknown][] => {
      const field = Object.hasOwn(shape, name) ? shape[name] : undefined;
      if (field === undefined) return [[name, value]];
      if (value === null && field.safeParse(undefined).success) return [];
      return [[name, withoutNulls(field, value)]];
    }),
  );
}

/** Permits null for the optional fields of the objects in a JSON Schema of a request, as `withoutNulls` does. */
export function permitNulls(jsonSchema: unknown): void {
  if (typeof jsonSchema !== 'object' || jsonSchema === null) return;
  for (const inner of Object.values(jsonSchema)) permitNulls(inner);
  const {
    type,
    properties = {},
    required = [],
  } = jsonSchema as {
    type?: unknown;
    properties?: Record<string, Record<string, unknown>>;
    required?: string[];
  };
  if (type !== 'object') return;
  for (const [name, field] of Object.entries(properties)) {
    if (!required.includes(name)) permitNull(field);
  }
}

function permitNull(field: Record<string, unknown>): void {
  const options = field.anyOf as { type?: unknown }[] | undefined;
  if (field.type === 'null' || options?.some(({ type }) => type === 'null')) return;
  if (options !== undefined) {
    options.push({ type: 'null' });
    return;
  }
  // Description and default belong to the field, not to one of its types.
  const { description: _, default: _default, ...constraints } = field;
  for (const key of Object.keys(constraints)) delete field[key];
  field.anyOf = [constraints, { type: 'null' }];
}

/** The schema inside optional, nullable, default and transformed schemas. */
function innermost(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault)
    return innermost(schema.unwrap());
  return schema instanceof z.ZodPipe ? innermost(schema.in) : schema;
}
