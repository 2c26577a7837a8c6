import { makeVisible } from "./escape.ts";
import { projectDays } from "./limits.ts";

/** The number of messages that wait for a project in Claude Code. */
export interface ProjectCount {
  project: string;
  count: number;
}

const nameCharacters = 40;

/**
 * A project's name as relay keeps and shows it: one line of at most 40 safe characters, none of them a quotation mark that
 * could end {@link quoteProject}; `null` if nothing is left.
 */
export function projectName(text: string): string | null {
  const line = makeVisible(text.toWellFormed().trim().replace(/\s+/g, " ")).text.replace(/["“”„]/g, "'");
  return [...line].slice(0, nameCharacters).join("").trim() || null;
}

/** Whether two names are one project's. A model may write a name in other case; SQLite knows that of ASCII letters. */
export function isSameProject(a: string | null, b: string | null): boolean {
  return a !== null && b !== null && foldCase(a) === foldCase(b);
}

function foldCase(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Of the messages that wait for Code, those for this project or for none, and those for others. Without a project all are own. */
export function splitWaiting(
  total: number,
  projects: readonly ProjectCount[],
  project: string | null,
): { own: number; others: ProjectCount[] } {
  const others = project === null ? [] : projects.filter((other) => !isSameProject(other.project, project));
  return { own: total - others.reduce((sum, { count }) => sum + count, 0), others };
}

/** A sentence for a sender to a project of which no session was seen; `seen` are those that were. */
export function describeUnseen(project: string, seen: readonly string[]): string {
  const others = seen.length > 0 ? `seen were ${seen.join(", ")}` : "nor of any other";
  return `No session of project ${project} was seen in the last ${projectDays} days (${others}); the message waits for one.`;
}

// A line has room for so many.
const projectsShown = 5;

/** The waiting messages of other projects: `2 for api-server, 1 for web`. After five projects the rest is counted. */
export function describeOthers(others: readonly ProjectCount[], nameOf = (project: string) => project): string {
  const shown = others.slice(0, projectsShown).map(({ project, count }) => `${count} for ${nameOf(project)}`);
  const rest = others.slice(projectsShown).reduce((sum, { count }) => sum + count, 0);
  return [...shown, ...(rest > 0 ? [`${rest} for others`] : [])].join(", ");
}
