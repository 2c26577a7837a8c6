import { writeNow } from "../platform/output.ts";

/** Asks the person at the terminal. Enter means the capital letter; the end of the input means no. */
export async function ask(question: string, choices: "[Y/n]" | "[y/N]"): Promise<boolean> {
  const write = (text: string) => writeNow(2, new TextEncoder().encode(text));
  write(`${question} ${choices} `);
  for await (const line of console) {
    const answer = line.trim();
    return answer === "" ? choices === "[Y/n]" : /^y(es)?$/i.test(answer);
  }
  write("\n");
  return false;
}
