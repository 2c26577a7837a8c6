import { windowSize } from "../../../src/core/limits.ts";
import { fileDuring, type Send } from "../history.ts";
import { type Evidence, fileOf } from "./evidence.ts";

/** What a receipt promises of itself: an id of its own, in the order of sending, and nothing stored where there is none. */
export function judgeSends(evidence: Evidence): void {
  const { world, history, fresh } = evidence;
  const acknowledged = history.sends.filter((send) => send.receipt);
  const files = Map.groupBy(acknowledged, (send) => fileOf(evidence, send));
  files.delete(null);
  for (const sends of files.values()) {
    judgeIds(evidence, sends);
    judgeOrder(evidence, sends);
  }
  for (const { receipt, token } of acknowledged) {
    if (receipt && receipt.unread > windowSize)
      world.violated("the window is 20", `${receipt.unread} are said to wait`, ...evidence.trace(token));
  }
  for (const send of history.sends) {
    const [shown] = fresh.get(send.token) ?? [];
    if (send.refused !== null && shown && fileDuring(history, send) !== null)
      world.violated(
        "what is refused is not stored",
        `${send.token} was: ${send.refused}`,
        ...evidence.trace(send.token),
      );
  }
}

function judgeIds(evidence: Evidence, sends: Send[]): void {
  const seen = new Map<number, Send>();
  for (const send of sends) {
    const id = send.receipt?.id ?? 0;
    const other = seen.get(id);
    if (other)
      evidence.world.violated(
        "ids are given once",
        `${id} twice`,
        ...evidence.trace(other.token),
        ...evidence.trace(send.token),
      );
    seen.set(id, send);
  }
}

// What was acknowledged before another message was sent has the smaller id.
function judgeOrder(evidence: Evidence, sends: Send[]): void {
  const ended = [...sends].sort((a, b) => a.to - b.to);
  let next = 0;
  let greatest: Send | null = null;
  for (const send of [...sends].sort((a, b) => a.from - b.from)) {
    for (let before = ended[next]; before && before.to < send.from; before = ended[++next])
      if (!greatest || (before.receipt?.id ?? 0) > (greatest.receipt?.id ?? 0)) greatest = before;
    if (greatest && (greatest.receipt?.id ?? 0) > (send.receipt?.id ?? 0))
      evidence.world.violated(
        "ids grow",
        `${send.token} came after ${greatest.token}`,
        ...evidence.trace(greatest.token),
        ...evidence.trace(send.token),
      );
  }
}
