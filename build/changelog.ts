const unreleased = "## Unreleased";

/** The text below the heading of a version in CHANGELOG.md. Throws when there is no such heading, or no text. */
export function notesFor(changelog: string, version: string): string {
  const sections = changelog.split(/^(?=## )/m);
  const section = sections.find((text) => isHeadingOf(text.split("\n", 1)[0] ?? "", version));
  if (!section) throw new Error(`CHANGELOG.md has no section ${version}. Make it with: npm run bump -- ${version}`);
  const notes = section.slice(section.indexOf("\n")).trim();
  if (notes) return notes;
  throw new Error(`the section ${version} of CHANGELOG.md is empty. List the changes for the people who use relay.`);
}

/**
 * CHANGELOG.md with the unreleased changes as the section of `version`, and an empty `Unreleased` above it. `date` is
 * `YYYY-MM-DD`. Throws when nothing is unreleased, or the version already has a section.
 */
export function released(changelog: string, version: string, date: string): string {
  const headings = changelog.split("\n").filter((line) => line.startsWith("## "));
  if (headings.some((heading) => isHeadingOf(heading, version)))
    throw new Error(`CHANGELOG.md has a section ${version} already. Use a newer version.`);
  if (!headings.includes(unreleased))
    throw new Error('CHANGELOG.md has no section "Unreleased". Add one with the changes.');
  notesFor(changelog, "Unreleased");
  return changelog.replace(unreleased, `${unreleased}\n\n## ${version}, ${date}`);
}

function isHeadingOf(heading: string, version: string): boolean {
  return heading === `## ${version}` || heading.startsWith(`## ${version}, `);
}
