export const input = await Array.fromAsync(Bun.stdin.stream());
