/**
 * Whether the dashboards are what Grafana takes: their JSON against the types that Grafana publishes, by the
 * compiler.
 */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SDK = join(ROOT, 'node_modules/@grafana/grafana-foundation-sdk/dist');
const FOLDER = join(ROOT, 'infra/grafana/dashboards');

/** Kinds of panels that the dashboards use; each has options and fields of its own. */
const PANELS = ['stat', 'timeseries', 'bargauge', 'table', 'gauge'];

/**
 * The shape of a dashboard file. Grafana's types name enums where JSON has their values, and demand what
 * Grafana fills in by itself: `Plain` turns the ones into the others and leaves every field out that may be;
 * unknown ones stay errors.
 */
const SHAPE = `
import type { Dashboard, FieldConfig, Panel } from '${SDK}/dashboard/index.js';
import type { Dataquery } from '${SDK}/prometheus/index.js';
${PANELS.map((type) => `import type * as ${type} from '${SDK}/${type}/index.js';`).join('\n')}

type Plain<T> = 0 extends 1 & T ? T
  : T extends string ? (string extends T ? string : \`\${T}\`)
  : T extends number | boolean | null | undefined ? T
  : T extends (...args: never[]) => unknown ? never
  : T extends readonly (infer Item)[] ? Plain<Item>[]
  : { [Field in keyof T as Field extends \`_implements\${string}\` ? never : Field]?: Plain<T[Field]> };
type Must<T, Field extends keyof T> = T & { [Name in Field]-?: T[Name] };
type Target = Must<Plain<Dataquery>, 'refId' | 'expr' | 'datasource'>;
type PanelOf<Type extends string, Options, Custom> = { type: Type; options?: Plain<Options> } & Must<
  Omit<Plain<Panel>, 'type' | 'options' | 'targets' | 'fieldConfig'>,
  'id' | 'title' | 'gridPos' | 'datasource'
> & {
    targets: Target[];
    fieldConfig: {
      defaults: Omit<Plain<FieldConfig>, 'custom'> & { custom?: Plain<Custom> };
      overrides: Plain<NonNullable<NonNullable<Panel['fieldConfig']>['overrides']>>;
    };
  };
type AnyPanel =
  | PanelOf<'timeseries', timeseries.Options, timeseries.FieldConfig>
  | PanelOf<'stat', stat.Options, never>
  | PanelOf<'bargauge', bargauge.Options, never>
  | PanelOf<'gauge', gauge.Options, never>
  | PanelOf<'table', table.Options, table.FieldConfig>;
type DashboardFile = Must<Omit<Plain<Dashboard>, 'panels'>, 'uid' | 'title' | 'schemaVersion'> & {
  panels: AnyPanel[];
};
`;

/** What the compiler has to say about dashboards, by name; empty when all are right. */
function check(dashboards: Record<string, string>): string {
  const path = join(temporaryFolder(), 'dashboards.ts');
  const constants = Object.entries(dashboards).map(
    ([name, json]) => `export const ${name}: DashboardFile = ${json};`,
  );
  writeFileSync(path, `${SHAPE}\n${constants.join('\n')}\n`);
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const options = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--target',
    'es2022',
    '--module',
    'nodenext',
  ];
  try {
    return execFileSync(process.execPath, [tsc, ...options, '--types', '', path], { encoding: 'utf8' });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
const dashboards = Object.fromEntries(
  files.map((name) => [name.replace('.json', ''), readFileSync(join(FOLDER, name), 'utf8')]),
);

describe('the dashboards', () => {
  it("fit the types that Grafana's own SDK has of them", () => {
    expect(Object.keys(dashboards)).toHaveLength(4);
    expect(check(dashboards)).toBe('');
  });

  it.each([
    ['a field that Grafana does not know', '"legendFormat"', '"legendFromat"'],
    ['a value of the wrong kind', '"unit": "reqps"', '"unit": 7'],
    ['a choice that does not exist', '"colorMode": "value"', '"colorMode": "loud"'],
    ['a panel of an unknown kind', '"type": "stat"', '"type": "stats"'],
  ])('would be refused with %s', (_what, right, wrong) => {
    const { overview = '' } = dashboards;
    expect(overview).toContain(right);
    expect(check({ overview: overview.replace(right, wrong) })).toMatch(
      /dashboards\.ts\(\d+,\d+\): error TS2\d+/,
    );
  });
});
