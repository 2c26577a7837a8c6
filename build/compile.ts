/** Where a program's source is, and where its binary goes. */
export interface Compilation {
  entry: string;
  outfile: string;
}

/**
 * Compiles a program to one native file for this machine. Nothing is read from the directory it is later started in,
 * imports that cannot be resolved now fail the build, and what a command does not import is not loaded (facts.md, "Bun").
 * Throws with the bundler's messages.
 */
export async function compile({ entry, outfile }: Compilation): Promise<void> {
  const result = await Bun.build({
    entrypoints: [entry],
    target: "bun",
    format: "esm",
    minify: true,
    bytecode: true,
    splitting: true,
    allowUnresolved: [],
    define: { "process.env.NODE_ENV": '"production"' },
    compile: {
      outfile,
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
    },
  });
  if (!result.success) throw new AggregateError(result.logs, `could not compile ${entry}`);
}
