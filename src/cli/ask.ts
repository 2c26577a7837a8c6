import { writeNow } from "../platform/output.ts";

/** Asks the person at the terminal. Enter means the capital letter; the end of the input means no. */
export async function ask(question: string, choices: "[Y/n]" | "[y/N]"): Promise<boolean> {
  const answer = await askFor(`${question} ${choices}`);
  if (answer === null) return false;
  return answer === "" ? choices === "[Y/n]" : /^y(es)?$/i.test(answer);
}

/** Asks for a line of standard input, without the spaces around it; `null` at its end. */
export async function askFor(what: string): Promise<string | null> {
  const write = (text: string) => writeNow(2, new TextEncoder().encode(text));
  write(`${what} `);
  for await (const line of console) return line.trim();
  write("\n");
  return null;
}
