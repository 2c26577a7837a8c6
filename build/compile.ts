import { dropUnusedSchemas } from "./sdk-schemas.ts";

/** Where a program's source is, and where its binary goes. */
export interface Compilation {
  entry: string;
  outfile: string;
  /** Another system: its name in Bun's terms, and the file with its runtime. This machine if left out. */
  cross?: { target: Bun.Build.CompileTarget; runtime: string };
}

/**
 * Compiles a program to one native file. Nothing is read from the directory it is later started in, imports that cannot
 * be resolved now fail the build, and what a command does not import is not loaded (facts.md, "Bun"). The same source
 * gives the same bytes, as long as the base name of `outfile` is the same. Throws with the bundler's messages.
 */
export async function compile({ entry, outfile, cross }: Compilation): Promise<void> {
  const result = await Bun.build({
    entrypoints: [entry],
    target: "bun",
    format: "esm",
    minify: true,
    bytecode: true,
    splitting: true,
    allowUnresolved: [],
    plugins: [dropUnusedSchemas],
    define: { "process.env.NODE_ENV": '"production"' },
    compile: {
      outfile,
      // most code of a short-lived process runs too seldom to pay for its compilation
      jitPolicy: 10,
      ...(cross && { target: cross.target, executablePath: cross.runtime }),
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
    },
  });
  if (!result.success) throw new AggregateError(result.logs, `could not compile ${entry}`);
}
