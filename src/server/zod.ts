import { config } from "zod";

// Compiling a validator pays off after thousands of messages; a server sees dozens, and starts 3 ms sooner without.
// The SDK makes its schemas when it is imported, so this module has to be imported first.
config({ jitless: true });
