// How the URL of a database is read, as PostgreSQL's own programs read it, and what is shown of it.
import { describe, expect, test } from "bun:test";
import { type DatabaseUrl, describeDatabase, findPassword, parseDatabaseUrl } from "../src/core/database-url.ts";

const usual: DatabaseUrl = {
  host: "localhost",
  port: 5432,
  database: "me",
  user: "me",
  password: null,
  ssl: "prefer",
  rootCertificate: null,
};

describe("a URL is read", () => {
  const urls: [url: string, found: Partial<DatabaseUrl>, shown: string][] = [
    ["postgres://", {}, "postgres://me@localhost/me"],
    ["postgresql://db", { host: "db" }, "postgres://me@db/me"],
    ["postgres://anna@db/", { host: "db", user: "anna", database: "anna" }, "postgres://anna@db/anna"],
    [
      "postgres://anna:s%40%2Fcret@db:6000/relay\n",
      { host: "db", port: 6000, user: "anna", password: "s@/cret", database: "relay" },
      "postgres://anna@db:6000/relay",
    ],
    ["postgres://[::1]:5433/relay", { host: "::1", port: 5433, database: "relay" }, "postgres://me@[::1]:5433/relay"],
    [
      "postgres:///relay?host=/var/run/postgresql&user=anna&password=x",
      { host: "/var/run/postgresql", user: "anna", password: "x", database: "relay" },
      "postgres://anna@%2Fvar%2Frun%2Fpostgresql/relay",
    ],
    ["postgres://%2Ftmp/relay", { host: "/tmp", database: "relay" }, "postgres://me@%2Ftmp/relay"],
    [
      "postgres://db/relay?sslmode=verify-full&sslrootcert=/etc/ca.pem",
      { host: "db", database: "relay", ssl: "verify-full", rootCertificate: "/etc/ca.pem" },
      "postgres://me@db/relay",
    ],
  ];
  test.each(urls)("%s", (url, found, shown) => {
    const database = parseDatabaseUrl(url, "me");
    expect(database).toEqual({ ...usual, ...found });
    expect(describeDatabase(database)).toBe(shown);
    expect(parseDatabaseUrl(shown, "nobody")).toMatchObject({
      ...found,
      password: null,
      ssl: "prefer",
      rootCertificate: null,
    });
  });
});

test.each([
  ["postgres://anna:secret@db:port/relay", "cannot be read"],
  ["postgres://anna:sec#ret@db/relay", "cannot be read"],
  ["postgres://anna:12#secret@db/relay", "has a #"],
  ["postgres://anna:12/secret@db/relay", "cannot be read"],
  ["postgres://anna:12?secret@db/relay", "cannot be read"],
  ["mysql://anna:secret@db/relay", "does not begin with postgres://"],
  ["postgres://anna:secret%@db/relay", "has a % that is no escape"],
  ["postgres://anna:secret@db/relay?sslmode=yes", 'has sslmode "yes"'],
  ["postgres://anna:secret@db/relay?options=-c", 'has "options", which relay does not know'],
])("%s is refused, and its password is not told", (url, reason) => {
  expect(() => parseDatabaseUrl(url, "me")).toThrow(`the URL of the database ${reason}`);
  expect(() => parseDatabaseUrl(url, "me")).not.toThrow(/secret|ret@/);
});

test.each([
  ["db:5432:relay:anna:secret", "secret"],
  ["*:*:*:anna:secret", "secret"],
  ["# db:5432:relay:anna:no\ndb:5432:other:anna:no\r\ndb:5432:relay:anna:yes\r\n*:*:*:*:no", "yes"],
  ["db:5432:relay:anna:s\\:e\\\\cret", "s:e\\cret"],
  ["db:5432:relay:bert:secret", null],
  ["db:5432:relay", null],
  ["", null],
])("in a file of passwords that is %j, the password is %p", (text, password) => {
  expect(findPassword(text, { ...usual, host: "db", database: "relay", user: "anna" })).toBe(password);
});

test("in a file of passwords, a socket is localhost", () => {
  expect(findPassword("localhost:*:*:*:secret", { ...usual, host: "/tmp" })).toBe("secret");
});
