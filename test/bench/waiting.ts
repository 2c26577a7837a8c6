for await (const _ of Bun.stdin.stream());

export {};
