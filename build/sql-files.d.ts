/** An SQL file imported as text, which the bundler puts into the binary. */
declare module "*.sql" {
  const text: string;
  export default text;
}
