import { config } from "zod";

// Compiling a validator pays off after thousands of messages; a server sees dozens, and starts 3 ms sooner without.
// It has to be said before the SDK makes its schemas, so this module is imported before it.
config({ jitless: true });
