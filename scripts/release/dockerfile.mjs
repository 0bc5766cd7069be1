/** Our rules for infra/Dockerfile, which need no Docker: users, health checks, labels, bases and licences. */

import { isAllowed } from './licenses.mjs';

/** Licences of the Debian packages that an image adds to its base; the texts are in /usr/share/doc of the image. */
const DEBIAN_LICENSES = { 'redis-server': 'BSD-3-Clause', tini: 'MIT' };

const NODE_IMAGE_ARGUMENT = /^\$\{NODE_IMAGE\}$/;

/** Annotations of https://github.com/opencontainers/image-spec/blob/main/annotations.md that each image must have. */
const LABELS = [
  'title',
  'description',
  'source',
  'documentation',
  'vendor',
  'licenses',
  'base.name',
  'version',
  'revision',
].map((name) => `org.opencontainers.image.${name}`);

/**
 * What a Dockerfile does against our rules for images, one line each: user, health check, labels, base, packages.
 * @param {string} text
 * @param {readonly string[]} targets stages that become images
 */
export function dockerfileProblems(text, targets) {
  const stages = parseStages(text);
  const problems = [];
  for (const { base, name } of stages.values()) {
    if (base !== 'scratch' && !NODE_IMAGE_ARGUMENT.test(base) && !stages.has(base))
      problems.push(
        `stage ${name} is based on ${base}, expected \${NODE_IMAGE}, scratch or an earlier stage`,
      );
  }
  for (const target of targets) {
    const instructions = chainOf(stages, target);
    if (instructions.length === 0) problems.push(`there is no stage ${target}`);
    else problems.push(...imageProblems(instructions).map((problem) => `${target}: ${problem}`));
  }
  return problems;
}

function imageProblems(instructions) {
  const problems = [];
  const last = (keyword) => instructions.findLast(([each]) => each === keyword)?.[1];
  if (['root', '0', undefined].includes(last('USER'))) problems.push('the user is root');
  for (const keyword of ['HEALTHCHECK', 'EXPOSE', 'CMD'])
    if (last(keyword) === undefined) problems.push(`there is no ${keyword}`);
  if (!last('ENTRYPOINT')?.startsWith('['))
    problems.push('ENTRYPOINT is not a list, so a shell gets the signals');
  const labels = instructions.flatMap(([keyword, rest]) => (keyword === 'LABEL' ? [rest] : [])).join(' ');
  for (const label of LABELS)
    if (!labels.includes(`${label}="`)) problems.push(`the label ${label} is missing`);
  for (const [keyword, rest] of instructions) {
    if (keyword === 'ADD') problems.push(`ADD ${rest}: expected COPY`);
    const [, names] = /apt-get install -y --no-install-recommends ([^&]*)/.exec(rest) ?? [];
    if (names === undefined && rest.includes('apt-get install'))
      problems.push('apt-get install without -y --no-install-recommends');
    for (const name of names?.trim().split(/\s+/) ?? [])
      if (!isAllowed(DEBIAN_LICENSES[name] ?? 'none'))
        problems.push(`the Debian package ${name} has no licence in scripts/release/dockerfile.mjs`);
  }
  return problems;
}

/** Base and instructions of each stage by its name, in order. */
function parseStages(text) {
  const lines = text
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, ' ')
    .split('\n');
  const stages = new Map();
  let current;
  for (const line of lines) {
    const [, keyword, rest] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (keyword === 'FROM') {
      const [base, , name] = rest.split(/\s+/);
      current = { base, name, instructions: [] };
      stages.set(name, current);
    } else if (keyword !== undefined) current?.instructions.push([keyword, rest]);
  }
  return stages;
}

/** The instructions of a stage after those of the stages that it is based on. */
function chainOf(stages, name) {
  const stage = stages.get(name);
  return stage === undefined ? [] : [...chainOf(stages, stage.base), ...stage.instructions];
}
