import { dropUnusedSchemas } from "./sdk-schemas.ts";

/** The paths of a program's source and binary. */
export interface Compilation {
  entry: string;
  outfile: string;
  /** Bun's name of another system, and the file with Bun's runtime for it. This machine if left out. */
  cross?: { target: Bun.Build.CompileTarget; runtime: string };
}

/**
 * Compiles a program to one native file. The program reads nothing from its working directory, and loads a module only when
 * a command imports it; an unresolved import fails the build (facts.md, "Bun"). The same source and base name of `outfile`
 * give the same bytes. Throws with the bundler's messages.
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
      // most code of a short-lived process runs too rarely to pay for its compilation
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
