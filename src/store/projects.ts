import type { Database } from "bun:sqlite";
import { projectDays } from "../core/limits.ts";
import { isSameProject, type ProjectCount, projectName } from "../core/project.ts";

/** SQL for a message that a session of `$project` gets: one for that project or for none. Without a project, it gets all. */
export const isForProject = "($project IS NULL OR project IS NULL OR project = $project COLLATE NOCASE)";

/** Makes the table of the projects of which sessions were seen. */
export function createProjects(db: Database): void {
  db.run(`CREATE TABLE IF NOT EXISTS relay_projects (
    project TEXT PRIMARY KEY COLLATE NOCASE,
    seen_at INTEGER NOT NULL
  )`);
}

/** Notes that a session of this project was seen, and forgets projects of which none was seen for 30 days. */
export function noteProject(db: Database, project: string | null, now: number): void {
  if (project === null) return;
  db.query("INSERT OR REPLACE INTO relay_projects (project, seen_at) VALUES ($project, $now)").run({ project, now });
  db.query("DELETE FROM relay_projects WHERE seen_at < $oldest").run({ oldest: oldestSeen(now) });
}

function oldestSeen(now: number): number {
  return now - projectDays * 86_400_000;
}

// A receipt has room for so many. `claude -p` in temporary folders makes a project of each.
const seenShown = 20;

/** The 20 latest of the projects seen in the last 30 days, if this one is not among all of them; else `null`. */
export function seenInstead(db: Database, project: string | null, now: number): string[] | null {
  if (project === null) return null;
  const rows = db.query<{ project: string }, { oldest: number }>(
    "SELECT project FROM relay_projects WHERE seen_at >= $oldest ORDER BY seen_at DESC",
  );
  const seen = rows.all({ oldest: oldestSeen(now) }).map((row) => row.project);
  return seen.some((other) => isSameProject(other, project)) ? null : seen.slice(0, seenShown);
}

/** The unread messages for Code that are for a project, by project. */
export function waitingByProject(db: Database): ProjectCount[] {
  return db
    .query<ProjectCount, []>(
      `SELECT project, count(*) AS count FROM messages
       WHERE sender = 'desktop' AND read_by_code_at IS NULL AND project IS NOT NULL
       GROUP BY project COLLATE NOCASE ORDER BY min(id)`,
    )
    .all()
    .map(({ project, count }) => ({ project: projectName(`${project}`) ?? "", count }));
}

/** A row with a project that any program may have written. */
export interface ShownProject {
  project: string | null;
}

/** The row with a project's name that is safe to show. */
export function withSafeProject<Row extends ShownProject>(row: Row): Row {
  return row.project === null ? row : { ...row, project: projectName(`${row.project}`) };
}
