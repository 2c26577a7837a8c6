import { createScene, type Scene } from "../scene.ts";

/** A made-up history, and whether it violates the rule. */
export interface Case {
  rule: string;
  /** What makes the difference to its neighbours. */
  detail: string;
  breaks: boolean;
  /** The rules that it violates. */
  judge(): string[];
}

/** Neighbouring histories: the same `play`, in all but one detail. */
interface Neighbours<T> {
  play(scene: Scene, detail: T): void;
  /** What violates this rule, and no other. */
  breaks: Record<string, NoInfer<T>>;
  /** What violates none. */
  keeps: Record<string, NoInfer<T>>;
}

/** The cases of a rule, one for each detail. */
export function casesOf<T>(rule: string, { play, breaks, keeps }: Neighbours<T>): Case[] {
  const make = (details: Record<string, T>, isBreak: boolean) =>
    Object.entries(details).map(([detail, given]) => ({
      rule,
      detail,
      breaks: isBreak,
      judge() {
        const scene = createScene();
        play(scene, given);
        return scene.violated();
      },
    }));
  return [...make(breaks, true), ...make(keeps, false)];
}
