-- The rows of every person, who is a role of the database. Each statement may run again, and only adds to what is there.
CREATE SCHEMA IF NOT EXISTS relay;

-- By which two machines find out that they have the same database.
DO $$
BEGIN
  IF to_regprocedure('relay.identity()') IS NULL THEN
    EXECUTE format('CREATE FUNCTION relay.identity() RETURNS text LANGUAGE sql IMMUTABLE AS %L', format('SELECT %L', gen_random_uuid()));
  END IF;
END $$;

-- One row for each person. Whoever changes anything of theirs locks it first, so that ids and pages have one order.
CREATE TABLE IF NOT EXISTS relay.mailboxes (
  owner name PRIMARY KEY DEFAULT current_user,
  channel uuid NOT NULL DEFAULT gen_random_uuid(),
  last_id bigint NOT NULL DEFAULT 0,
  history_messages bigint NOT NULL DEFAULT 0,
  history_bytes bigint NOT NULL DEFAULT 0
);

-- Window and history: bytes is the length of the text, and left_at the time at which a message left the window. The key is the
-- sender's own, by which it finds a message whose receipt was lost. notification_attempts has the machine of each attempt.
CREATE TABLE IF NOT EXISTS relay.messages (
  owner name NOT NULL DEFAULT current_user,
  id bigint NOT NULL,
  key uuid NOT NULL,
  reader text NOT NULL CHECK (reader IN ('desktop', 'code')),
  message text NOT NULL,
  bytes integer NOT NULL,
  created_at timestamptz NOT NULL,
  read_at timestamptz,
  left_at timestamptz,
  typed_in text,
  project text,
  reply_to bigint,
  lease_id uuid,
  leased_at timestamptz,
  redelivered boolean NOT NULL DEFAULT false,
  notified_at timestamptz,
  notification_lease uuid,
  notification_leased_at timestamptz,
  notification_attempts text[] NOT NULL DEFAULT '{}',
  PRIMARY KEY (owner, id),
  UNIQUE (key, owner) -- the key first: a planner without statistics would look up ids by the owner in this index
);
CREATE INDEX IF NOT EXISTS messages_window ON relay.messages (owner, id) WHERE left_at IS NULL;
CREATE INDEX IF NOT EXISTS messages_history ON relay.messages (owner, left_at, id) WHERE left_at IS NOT NULL;

-- The files of messages. The content of one that made room for others is NULL.
CREATE TABLE IF NOT EXISTS relay.files (
  owner name NOT NULL DEFAULT current_user,
  message_id bigint NOT NULL,
  position integer NOT NULL,
  name text NOT NULL,
  type text NOT NULL,
  size bigint NOT NULL,
  sha256 text NOT NULL,
  content bytea,
  PRIMARY KEY (owner, message_id, position),
  FOREIGN KEY (owner, message_id) REFERENCES relay.messages ON DELETE CASCADE
);
ALTER TABLE relay.files ALTER COLUMN content SET STORAGE EXTERNAL; -- most files are compressed

CREATE TABLE IF NOT EXISTS relay.dropped (
  owner name NOT NULL DEFAULT current_user,
  message_id bigint NOT NULL,
  reader text NOT NULL,
  project text,
  cleared_by text,
  PRIMARY KEY (owner, message_id)
);

CREATE TABLE IF NOT EXISTS relay.clients (
  owner name NOT NULL DEFAULT current_user,
  client text NOT NULL,
  notify boolean,
  sound text,
  notification_lease uuid,
  notification_leased_at timestamptz,
  PRIMARY KEY (owner, client)
);

CREATE TABLE IF NOT EXISTS relay.servers (
  owner name NOT NULL DEFAULT current_user,
  machine text NOT NULL,
  process bigint NOT NULL,
  seen_at timestamptz NOT NULL,
  PRIMARY KEY (owner, machine, process)
);

CREATE TABLE IF NOT EXISTS relay.tickets (
  owner name NOT NULL DEFAULT current_user,
  session text NOT NULL,
  process bigint NOT NULL,
  project text,
  ticket jsonb,
  refused boolean NOT NULL DEFAULT false,
  issued_at timestamptz NOT NULL,
  PRIMARY KEY (owner, session, process)
);

CREATE TABLE IF NOT EXISTS relay.deliveries (
  owner name NOT NULL DEFAULT current_user,
  reader text NOT NULL,
  messages integer NOT NULL,
  delivered_at timestamptz NOT NULL,
  origin text NOT NULL,
  project text,
  PRIMARY KEY (owner, reader)
);

CREATE TABLE IF NOT EXISTS relay.projects (
  owner name NOT NULL DEFAULT current_user,
  project text NOT NULL,
  seen_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS projects_name ON relay.projects (owner, lower(project COLLATE "C"));

-- Everybody who may connect has rows of their own, and sees no others: not with SQL of their own, and not as the owner.
GRANT USAGE ON SCHEMA relay TO PUBLIC;
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY '{mailboxes,messages,files,dropped,clients,servers,tickets,deliveries,projects}'::text[] LOOP
    EXECUTE format('ALTER TABLE relay.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE relay.%I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('DROP POLICY IF EXISTS own_rows ON relay.%I', name);
    EXECUTE format('CREATE POLICY own_rows ON relay.%I USING (owner = current_user) WITH CHECK (owner = current_user)', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON relay.%I TO PUBLIC', name);
  END LOOP;
END $$;
