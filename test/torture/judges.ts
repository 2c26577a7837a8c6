import { judgeAnnouncements } from "./judge/announcements.ts";
import { judgeCounts } from "./judge/counts.ts";
import { judgeEvictions } from "./judge/evictions.ts";
import type { Evidence } from "./judge/evidence.ts";
import { judgeLosses } from "./judge/losses.ts";
import { judgeOmissions } from "./judge/omissions.ts";
import { judgePages } from "./judge/pages.ts";
import { judgeRefusals } from "./judge/refusals.ts";
import { judgeSends } from "./judge/sends.ts";
import { judgeWindow } from "./judge/window.ts";

/** Holds a round against every rule there is. What was violated is in the world. */
export function judgeAll(evidence: Evidence): void {
  judgeSends(evidence);
  judgePages(evidence);
  judgeOmissions(evidence);
  judgeEvictions(evidence);
  judgeWindow(evidence);
  judgeCounts(evidence);
  judgeLosses(evidence);
  judgeAnnouncements(evidence);
  judgeRefusals(evidence);
}
