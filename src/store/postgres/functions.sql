-- The operations of core/store.ts. Each is one transaction and one round trip: it takes a JSON object, and answers one. A name in
-- braces is a number of core/limits.ts. Time is the server's, unless a test sets it by "now".

CREATE OR REPLACE FUNCTION relay.version() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT {version}';

-- Refuses a caller whose schema is another one, and sets up its transaction: plans are made once for each connection, and no
-- function that another role made in "public" takes the place of PostgreSQL's own. So each operation begins with this.
CREATE OR REPLACE FUNCTION relay.accept(p jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  setting text := set_config('search_path', 'pg_catalog', true);
BEGIN
  setting := set_config('plan_cache_mode', 'force_generic_plan', true);
  setting := set_config('lock_timeout', coalesce(p->>'wait', '4000'), true);
  IF (p->>'schema')::integer > relay.version() THEN
    RAISE EXCEPTION 'the schema is older than this relay' USING ERRCODE = 'RL001';
  ELSIF relay.version() / 1000 > (p->>'schema')::integer / 1000 THEN
    RAISE EXCEPTION 'the schema is of a newer relay' USING ERRCODE = 'RL002';
  END IF;
  RETURN true;
END $$;

CREATE OR REPLACE FUNCTION relay.moment(p jsonb) RETURNS timestamptz LANGUAGE sql AS $$
  SELECT coalesce(to_timestamp((p->>'now')::bigint / 1000.0), date_trunc('milliseconds', clock_timestamp()))
$$;

-- What the database is. The person's mailbox is made, or found to be writable, if "make" says so.
CREATE OR REPLACE FUNCTION relay.report(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
  IF (p->>'make')::boolean THEN
    PERFORM relay.enter(p, true);
  END IF;
  PERFORM relay.accept(p);
  RETURN json_build_object('schema', relay.version(), 'server', split_part(current_setting('server_version'), ' ', 1),
    'buffer', left(md5(relay.identity() || current_user), 8), 'role', current_user,
    'seesOthers', EXISTS (SELECT FROM relay.mailboxes WHERE owner <> current_user),
    'now', floor(extract(epoch FROM clock_timestamp()) * 1000));
END $$;

-- The channel that tells the person's servers to look. Every role may listen to any, so its name is a secret.
CREATE OR REPLACE FUNCTION relay.channel() RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT 'relay_' || channel FROM relay.mailboxes WHERE owner = current_user);
END $$;

CREATE OR REPLACE FUNCTION relay.other(client text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE client WHEN 'desktop' THEN 'code' WHEN 'code' THEN 'desktop' END
$$;

CREATE OR REPLACE FUNCTION relay.iso(t timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

CREATE OR REPLACE FUNCTION relay.ids(list jsonb) RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN array(SELECT value::bigint FROM jsonb_array_elements_text(list));
END $$;

-- Locks the person's mailbox, and answers the time; NULL if there is none and none is to be made.
CREATE OR REPLACE FUNCTION relay.enter(p jsonb, make boolean DEFAULT false) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
  accepted boolean := relay.accept(p);
BEGIN
  PERFORM FROM relay.mailboxes WHERE owner = current_user FOR UPDATE;
  IF NOT FOUND THEN
    IF NOT make THEN
      RETURN NULL;
    END IF;
    INSERT INTO relay.mailboxes DEFAULT VALUES ON CONFLICT DO NOTHING;
    PERFORM FROM relay.mailboxes WHERE owner = current_user FOR UPDATE;
  END IF;
  RETURN relay.moment(p); -- after the wait
END $$;

-- A stamp in the future was made before the clock was set back, and counts as expired.
CREATE OR REPLACE FUNCTION relay.in_flight(leased_at timestamptz, t timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT leased_at IS NOT NULL AND leased_at > t - interval '{leaseMs} ms' AND leased_at <= t
$$;

-- A model may write a project's name in other case. As in the file, that of the letters from A to Z does not count.
CREATE OR REPLACE FUNCTION relay.folded(name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT lower(name COLLATE "C")
$$;

CREATE OR REPLACE FUNCTION relay.is_for(project text, wanted text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT wanted IS NULL OR project IS NULL OR relay.folded(project) = relay.folded(wanted)
$$;

CREATE OR REPLACE FUNCTION relay.shown(m relay.messages, redelivered boolean DEFAULT false) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT json_build_object('id', m.id, 'sender', relay.other(m.reader), 'message', m.message,
      'timestamp', relay.iso(m.created_at),
      'read_by_desktop_at', CASE m.reader WHEN 'desktop' THEN relay.iso(m.read_at) END,
      'read_by_code_at', CASE m.reader WHEN 'code' THEN relay.iso(m.read_at) END,
      'typed_in', m.typed_in, 'project', m.project, 'reply_to', m.reply_to, 'redelivered', redelivered,
      'files', coalesce((SELECT json_agg(json_build_object('name', f.name, 'type', f.type, 'size', f.size, 'sha256', f.sha256,
        'kept', f.content IS NOT NULL) ORDER BY f.position)
        FROM relay.files f WHERE f.owner = current_user AND f.message_id = m.id), '[]'),
      'answered', CASE WHEN m.reply_to IS NOT NULL THEN
        (SELECT left(a.message, 400) FROM relay.messages a WHERE a.owner = current_user AND a.id = m.reply_to) END));
END $$;

CREATE OR REPLACE FUNCTION relay.note_project(name text, t timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF name IS NULL THEN
    RETURN;
  END IF;
  INSERT INTO relay.projects (project, seen_at) VALUES (name, t)
    ON CONFLICT (owner, lower(project COLLATE "C")) DO UPDATE SET project = excluded.project, seen_at = t;
  DELETE FROM relay.projects WHERE owner = current_user AND seen_at < t - interval '{projectDays} days';
END $$;

-- Removes from the history what is too old or too much, the oldest first, and answers what is left of it.
CREATE OR REPLACE FUNCTION relay.trim(box relay.mailboxes, days integer, t timestamptz) RETURNS relay.mailboxes
LANGUAGE plpgsql AS $$
DECLARE
  oldest record;
  bytes bigint;
BEGIN
  LOOP
    SELECT id, left_at INTO oldest FROM relay.messages
      WHERE owner = current_user AND left_at IS NOT NULL ORDER BY left_at, id LIMIT 1;
    EXIT WHEN oldest.id IS NULL OR NOT (days = 0 OR oldest.left_at <= t - make_interval(days => days)
      OR box.history_messages > {historyMessages} OR box.history_bytes > {historyBytes});
    DELETE FROM relay.messages WHERE owner = current_user AND id = oldest.id RETURNING messages.bytes INTO bytes;
    box.history_messages := box.history_messages - 1;
    box.history_bytes := box.history_bytes - bytes;
  END LOOP;
  RETURN box;
END $$;

-- Leases the notification of what waits unannounced for the reader; NULL if there is nothing. A look says "more" of messages
-- that came within the cooldown.
CREATE OR REPLACE FUNCTION relay.lease_notification(client_name text, machine text, look boolean, t timestamptz)
RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  lease uuid := gen_random_uuid();
  own relay.clients;
  oldest relay.messages;
  found record;
BEGIN
  SELECT * INTO own FROM relay.clients WHERE owner = current_user AND client = client_name;
  IF NOT own.notify THEN
    UPDATE relay.messages SET notified_at = t
      WHERE owner = current_user AND left_at IS NULL AND reader = client_name AND notified_at IS NULL AND read_at IS NULL;
    RETURN NULL;
  END IF;
  SELECT array_agg(m.id) AS ids, min(m.id) AS first, min(m.typed_in) AS typed_in, min(m.project) AS project,
      count(DISTINCT coalesce(m.typed_in, '')) = 1 AS one_place, count(DISTINCT coalesce(m.project, '')) = 1 AS one_project
    INTO found FROM relay.messages m
    WHERE m.owner = current_user AND m.left_at IS NULL AND m.reader = client_name AND m.read_at IS NULL
      AND relay.is_pending(m, machine)
      AND NOT coalesce(m.notification_leased_at > t - interval '{notificationLeaseMs} ms' AND m.notification_leased_at <= t, false)
      AND NOT relay.in_flight(m.leased_at, t);
  IF found.ids IS NULL THEN
    RETURN NULL;
  END IF;
  SELECT * INTO oldest FROM relay.messages WHERE owner = current_user AND id = found.first;
  UPDATE relay.messages SET notification_lease = lease, notification_leased_at = t,
      notification_attempts = notification_attempts || machine
    WHERE owner = current_user AND id = ANY (found.ids);
  INSERT INTO relay.clients (client, notification_lease, notification_leased_at) VALUES (client_name, lease, t)
    ON CONFLICT (owner, client) DO UPDATE SET notification_lease = lease, notification_leased_at = t;
  RETURN json_build_object('id', lease, 'reader', client_name, 'count', cardinality(found.ids),
    'more', look AND coalesce(own.notification_leased_at <= t
      AND oldest.created_at < own.notification_leased_at + interval '{cooldownMs} ms', false)
      AND cardinality(oldest.notification_attempts) = 0,
    'message', oldest.message, 'typed_in', CASE WHEN found.one_place THEN found.typed_in END,
    'project', CASE WHEN found.one_project THEN found.project END, 'sound', coalesce(own.sound, 'default'));
END $$;

-- Whether this machine may still have to announce a message. A machine without a notifier uses up none of another's attempts.
CREATE OR REPLACE FUNCTION relay.is_pending(m relay.messages, machine text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT m.notified_at IS NULL AND m.read_at IS NULL
    AND cardinality(array_positions(m.notification_attempts, machine)) < {notificationAttempts}
$$;

-- The end of the reader's cooldown; NULL if it is over.
CREATE OR REPLACE FUNCTION relay.cooldown_end(reader text, t timestamptz) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT notification_leased_at + interval '{cooldownMs} ms' FROM relay.clients
    WHERE owner = current_user AND client = reader AND notification_leased_at <= t
      AND notification_leased_at + interval '{cooldownMs} ms' > t);
END $$;

-- Registers this server, forgets those that are gone, and answers the others of this machine that may run.
CREATE OR REPLACE FUNCTION relay.other_servers(p jsonb, t timestamptz) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  own bigint := (p->>'server')::bigint;
BEGIN
  DELETE FROM relay.servers s WHERE owner = current_user AND (seen_at > t OR seen_at <= t - interval '{serverSeenMs} ms'
    OR (s.machine = p->>'machine' AND (process = ANY (relay.ids(p->'gone')) OR (process = own AND (p->>'final')::boolean))));
  IF own IS NOT NULL AND NOT coalesce((p->>'final')::boolean, false) THEN
    INSERT INTO relay.servers (machine, process, seen_at) VALUES (p->>'machine', own, t)
      ON CONFLICT (owner, machine, process) DO UPDATE SET seen_at = t;
    PERFORM relay.note_project(p->>'server_project', t);
  END IF;
  RETURN array(SELECT process FROM relay.servers s WHERE owner = current_user AND s.machine = p->>'machine');
END $$;

CREATE OR REPLACE FUNCTION relay.append(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  t timestamptz := relay.enter(p, true);
  to_reader text := relay.other(p->>'sender');
  answered relay.messages;
  its_project text;
  box relay.mailboxes;
  new_id bigint;
  is_new boolean;
  evicted record;
  deferred bigint[];
  notification json;
BEGIN
  IF p->'again' IS NOT NULL THEN
    SELECT id, project INTO new_id, its_project FROM relay.messages WHERE owner = current_user AND key = (p->>'key')::uuid;
  END IF;
  is_new := new_id IS NULL; -- otherwise its receipt was lost
  IF is_new THEN
    IF p->>'reply_to' IS NOT NULL THEN
      SELECT * INTO answered FROM relay.messages WHERE owner = current_user AND id = (p->>'reply_to')::bigint;
      IF NOT FOUND THEN
        RETURN json_build_object('unknown', p->'reply_to');
      END IF;
    END IF;
    UPDATE relay.mailboxes SET last_id = last_id + 1 WHERE owner = current_user RETURNING * INTO box;
    new_id := box.last_id;
    its_project := coalesce(p->>'project', answered.project);
    -- without "again" the key is not looked for: a call that comes after its repetition fails here
    INSERT INTO relay.messages (id, key, reader, message, bytes, created_at, typed_in, project, reply_to, notified_at)
      VALUES (new_id, (p->>'key')::uuid, to_reader, p->>'message', (p->>'bytes')::integer, t, p->>'typed_in', its_project,
        answered.id, CASE p->>'notify' WHEN 'never' THEN t END);
    IF p->>'sender' = 'code' THEN
      PERFORM relay.note_project(its_project, t);
    END IF;
  ELSIF p->>'notify' = 'now' THEN -- the lease of its notification was lost, too
    UPDATE relay.messages SET notification_leased_at = NULL WHERE owner = current_user AND id = new_id;
  END IF;
  evicted := relay.evict(box, new_id, to_reader, coalesce((p->>'history_days')::integer, {historyDays}), t);
  IF is_new AND p->'files' IS NOT NULL THEN
    PERFORM relay.add_files(new_id, p->'files');
  END IF;
  IF p->>'notify' = 'now' AND is_new AND relay.cooldown_end(to_reader, t) IS NOT NULL THEN
    deferred := nullif(relay.other_servers(p, t), '{}');
  END IF;
  IF p->>'notify' = 'now' AND deferred IS NULL THEN
    notification := relay.lease_notification(to_reader, p->>'machine', false, t);
  ELSIF p->>'notify' <> 'never' THEN
    PERFORM pg_notify(relay.channel(), '');
  END IF;
  RETURN json_build_object('id', new_id, 'project', its_project, 'unread', evicted.unread, 'evicted', evicted.ids,
    'evicted_unread', evicted.unread_ids, 'notification', notification, 'deferred', deferred,
    'seenProjects', CASE WHEN to_reader = 'code' AND its_project IS NOT NULL THEN relay.others_seen(its_project, t) END);
END $$;

CREATE OR REPLACE FUNCTION relay.add_files(its_id bigint, list jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO relay.files (message_id, position, name, type, size, sha256, content)
    SELECT its_id, n, f->>'name', f->>'type', (f->>'size')::bigint, f->>'sha256', decode(f->>'content', 'base64')
    FROM jsonb_array_elements(list) WITH ORDINALITY AS files (f, n);
  PERFORM relay.make_room(its_id);
END $$;

-- Removes contents until all of them together are no more than relay keeps: of the messages that were read, then of those that
-- left the window unread, the oldest first.
CREATE OR REPLACE FUNCTION relay.make_room(newest bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  oldest bigint;
BEGIN
  WHILE (SELECT sum(size) FROM relay.files WHERE owner = current_user AND content IS NOT NULL) > {keptFileBytes} LOOP
    SELECT m.id INTO oldest FROM relay.messages m
      WHERE m.owner = current_user AND m.id <> newest AND NOT (m.left_at IS NULL AND m.read_at IS NULL) AND EXISTS (
        SELECT FROM relay.files f WHERE f.owner = current_user AND f.message_id = m.id AND f.content IS NOT NULL)
      ORDER BY m.read_at IS NULL, m.id LIMIT 1;
    IF oldest IS NULL THEN
      RAISE EXCEPTION 'unread files leave no room' USING ERRCODE = 'RL003';
    END IF;
    UPDATE relay.files SET content = NULL WHERE owner = current_user AND message_id = oldest;
  END LOOP;
END $$;

-- Makes room in the window, but not of the newest message: the oldest read message goes first, the oldest unread one last. Also
-- answers how many unread ones the reader has left.
CREATE OR REPLACE FUNCTION relay.evict(box relay.mailboxes, newest bigint, to_reader text, history_days integer, t timestamptz,
  OUT ids bigint[], OUT unread_ids bigint[], OUT unread bigint) LANGUAGE plpgsql AS $$
DECLARE
  total bigint;
  oldest record;
BEGIN
  ids := '{}';
  unread_ids := '{}';
  SELECT count(*), count(*) FILTER (WHERE reader = to_reader AND read_at IS NULL) INTO total, unread
    FROM relay.messages WHERE owner = current_user AND left_at IS NULL;
  WHILE total - cardinality(ids) > {windowSize} LOOP
    SELECT id, read_at, reader, project, bytes INTO oldest FROM relay.messages
      WHERE owner = current_user AND left_at IS NULL AND id <> newest ORDER BY read_at IS NULL, id LIMIT 1;
    UPDATE relay.messages SET left_at = t WHERE owner = current_user AND id = oldest.id;
    ids := ids || oldest.id;
    box.history_messages := box.history_messages + 1;
    box.history_bytes := box.history_bytes + oldest.bytes;
    IF oldest.read_at IS NULL THEN
      unread_ids := unread_ids || oldest.id;
      unread := unread - (oldest.reader = to_reader)::integer;
      INSERT INTO relay.dropped (message_id, reader, project) VALUES (oldest.id, oldest.reader, oldest.project)
        ON CONFLICT DO NOTHING;
    END IF;
  END LOOP;
  IF cardinality(ids) > 0 THEN
    box := relay.trim(box, history_days, t);
    UPDATE relay.mailboxes SET history_messages = box.history_messages, history_bytes = box.history_bytes
      WHERE owner = current_user;
  END IF;
END $$;

-- The latest 20 projects that were seen; NULL if this one was.
CREATE OR REPLACE FUNCTION relay.others_seen(name text, t timestamptz) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
  RETURN (
    SELECT to_json(coalesce((array_agg(project ORDER BY seen_at DESC))[1:20], '{}')) FROM relay.projects
    WHERE owner = current_user AND seen_at >= t - interval '{projectDays} days'
    HAVING NOT coalesce(bool_or(relay.folded(project) = relay.folded(name)), false));
END $$;

-- What a page is made of: the oldest waiting messages, up to the one with which they are too long for a page, and the latest
-- ones read before. Of the waiting ones, "fitting" are to be leased.
CREATE OR REPLACE FUNCTION relay.page(p jsonb, t timestamptz, OUT content json, OUT fitting bigint[]) LANGUAGE plpgsql STABLE AS $$
DECLARE
  for_reader text := p->>'reader';
  wanted text := p->>'wanted';
  chosen bigint[] := CASE WHEN p->>'only' IS NOT NULL THEN relay.ids(p->'only') END;
  room bigint := (p->>'bytes')::integer;
  rows_limit integer := (p->>'limit')::integer;
  waiting json[] := '{}';
  unread integer := 0;
  in_flight integer := 0;
  before json;
  projects json;
  dropped json;
  m relay.messages;
BEGIN
  fitting := '{}';
  FOR m IN SELECT * FROM relay.messages
      WHERE owner = current_user AND left_at IS NULL AND reader = for_reader AND read_at IS NULL ORDER BY id LOOP
    unread := unread + 1;
    CONTINUE WHEN NOT relay.is_for(m.project, wanted);
    IF relay.in_flight(m.leased_at, t) THEN
      in_flight := in_flight + 1;
    ELSIF room >= 0 AND cardinality(waiting) < rows_limit AND (chosen IS NULL OR m.id = ANY (chosen)) THEN
      waiting := waiting || relay.shown(m, m.redelivered OR m.leased_at IS NOT NULL);
      IF cardinality(waiting) = 1 OR m.bytes <= room THEN
        fitting := fitting || m.id;
      END IF;
      room := room - m.bytes;
    END IF;
  END LOOP;
  IF (p->>'includeRead')::boolean THEN
    SELECT json_agg(relay.shown(r) ORDER BY r.id DESC) INTO before
      FROM relay.messages r WHERE r.owner = current_user AND r.id = ANY (array(
      SELECT id FROM relay.messages WHERE owner = current_user AND left_at IS NULL AND reader = for_reader
        AND read_at IS NOT NULL AND relay.is_for(project, wanted) ORDER BY id DESC LIMIT rows_limit));
  END IF;
  IF wanted IS NOT NULL THEN
    SELECT json_agg(json_build_object('project', project, 'count', n) ORDER BY first) INTO projects FROM (
      SELECT (array_agg(project ORDER BY id))[1] AS project, count(*) AS n, min(id) AS first FROM relay.messages
      WHERE owner = current_user AND left_at IS NULL AND reader = for_reader AND read_at IS NULL AND project IS NOT NULL
      GROUP BY relay.folded(project)) AS named;
  END IF;
  IF EXISTS (SELECT FROM relay.dropped WHERE owner = current_user) THEN
    SELECT json_agg(json_build_object('id', d.message_id, 'cleared_by', d.cleared_by, 'kept', EXISTS (
        SELECT FROM relay.messages k WHERE k.owner = current_user AND k.id = d.message_id)) ORDER BY d.message_id) INTO dropped
      FROM relay.dropped d WHERE d.owner = current_user
        AND ((d.reader = for_reader AND relay.is_for(d.project, wanted)) OR d.cleared_by = 'command line');
  END IF;
  content := json_build_object('waiting', to_json(waiting), 'fitting', fitting, 'read', before, 'unread', unread,
    'inFlight', in_flight, 'projects', coalesce(projects, '[]'), 'dropped', coalesce(dropped, '[]'));
END $$;

CREATE OR REPLACE FUNCTION relay.peek(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  PERFORM relay.accept(p);
  RETURN (relay.page(p, relay.moment(p))).content;
END $$;

-- Leases what fits. Of a page for a prompt, the caller knows better, and releases the rest at once.
CREATE OR REPLACE FUNCTION relay.lease_page(p jsonb, t timestamptz) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  lease uuid := (p->>'lease')::uuid;
  page record;
BEGIN
  IF p->'again' IS NOT NULL THEN -- this call's first answer was lost
    UPDATE relay.messages SET lease_id = NULL, leased_at = NULL
      WHERE owner = current_user AND left_at IS NULL AND lease_id = lease AND leased_at IS NOT NULL;
  END IF;
  page := relay.page(p, t);
  UPDATE relay.messages SET lease_id = lease, leased_at = t, redelivered = redelivered OR leased_at IS NOT NULL
    WHERE owner = current_user AND left_at IS NULL AND id = ANY (page.fitting);
  RETURN page.content;
END $$;

CREATE OR REPLACE FUNCTION relay.lease(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  t timestamptz := relay.enter(p);
BEGIN
  RETURN CASE WHEN t IS NOT NULL THEN relay.lease_page(p, t) END;
END $$;

CREATE OR REPLACE FUNCTION relay.renew(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  t timestamptz := relay.enter(p);
  lease uuid := (p->>'lease')::uuid;
  unread bigint[] := relay.ids(p->'unread');
BEGIN
  IF EXISTS (SELECT FROM relay.messages WHERE owner = current_user AND left_at IS NULL AND id = ANY (unread)
      AND (lease_id IS DISTINCT FROM lease OR leased_at IS NULL)) THEN
    RETURN 'false';
  END IF;
  UPDATE relay.messages SET leased_at = t
    WHERE owner = current_user AND id = ANY (unread) AND lease_id = lease AND leased_at IS NOT NULL;
  RETURN 'true';
END $$;

-- The messages keep the lease's id, so that undeliver finds them.
CREATE OR REPLACE FUNCTION relay.ack(p jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  t timestamptz := relay.enter(p);
  unread bigint[] := relay.ids(p->'unread');
BEGIN
  UPDATE relay.messages SET read_at = t, leased_at = NULL, redelivered = false
    WHERE owner = current_user AND id = ANY (unread) AND lease_id = (p->>'lease')::uuid AND leased_at IS NOT NULL;
  IF FOUND THEN
    INSERT INTO relay.deliveries (reader, messages, delivered_at, origin, project)
      VALUES (p->>'reader', cardinality(unread), t, p->>'origin', p->>'project')
      ON CONFLICT (owner, reader) DO UPDATE SET messages = excluded.messages, delivered_at = t,
        origin = excluded.origin, project = excluded.project;
  END IF;
  DELETE FROM relay.dropped WHERE owner = current_user AND message_id = ANY (unread || relay.ids(p->'dropped_ids'));
END $$;

CREATE OR REPLACE FUNCTION relay.release(p jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM relay.enter(p);
  UPDATE relay.messages SET lease_id = NULL, leased_at = NULL, redelivered = redelivered OR (p->>'redelivered')::boolean
    WHERE owner = current_user AND lease_id = (p->>'lease')::uuid AND leased_at IS NOT NULL
      AND id = ANY (relay.ids(p->'unread'));
END $$;

CREATE OR REPLACE FUNCTION relay.undeliver(p jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM relay.enter(p);
  UPDATE relay.messages SET read_at = NULL, lease_id = NULL, redelivered = true
    WHERE owner = current_user AND left_at IS NULL AND lease_id = (p->>'lease')::uuid AND leased_at IS NULL;
  INSERT INTO relay.dropped (message_id, reader, cleared_by, project)
    SELECT (d->>'id')::bigint, p->>'reader', d->>'cleared_by',
        (SELECT project FROM relay.messages WHERE owner = current_user AND id = (d->>'id')::bigint)
      FROM jsonb_array_elements(p->'dropped') AS d
    ON CONFLICT DO NOTHING;
END $$;

CREATE OR REPLACE FUNCTION relay.last_page(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  PERFORM relay.accept(p);
  RETURN (
    SELECT json_agg(relay.shown(m) ORDER BY m.id) FROM relay.messages m
    WHERE m.owner = current_user AND m.reader = p->>'reader' AND m.read_at = (
      SELECT max(read_at) FROM relay.messages WHERE owner = current_user AND reader = p->>'reader' AND (
        relay.is_for(project, p->>'wanted') OR read_at IN ( -- /get all also brings what is for other projects
          SELECT delivered_at FROM relay.deliveries d
          WHERE owner = current_user AND d.reader = p->>'reader' AND d.project = p->>'wanted'))));
END $$;

CREATE OR REPLACE FUNCTION relay.find(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
  ids bigint[] := relay.ids(p->'ids');
BEGIN
  PERFORM relay.accept(p);
  RETURN (
    SELECT json_agg(relay.shown(m) ORDER BY m.id) FROM relay.messages m
      WHERE m.owner = current_user AND m.id = ANY (ids));
END $$;

CREATE OR REPLACE FUNCTION relay.read_files(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  PERFORM relay.accept(p);
  RETURN (
    SELECT json_agg(json_build_object('name', name, 'type', type, 'size', size, 'sha256', sha256,
      'content', translate(encode(content, 'base64'), E'\n', '')) ORDER BY position)
    FROM relay.files WHERE owner = current_user AND message_id = (p->>'id')::bigint);
END $$;

-- Newest first.
CREATE OR REPLACE FUNCTION relay.latest(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  PERFORM relay.accept(p);
  RETURN (
    SELECT json_agg(relay.shown(m) ORDER BY m.id DESC) FROM relay.messages m WHERE m.owner = current_user AND m.id IN (
      SELECT id FROM relay.messages WHERE owner = current_user AND left_at IS NULL ORDER BY id DESC LIMIT (p->>'limit')::integer));
END $$;

-- Newest first.
CREATE OR REPLACE FUNCTION relay.log(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  PERFORM relay.accept(p);
  RETURN (
    SELECT json_agg(json_build_object('left', m.left_at IS NOT NULL, 'shown', relay.shown(m)) ORDER BY m.id DESC)
    FROM relay.messages m WHERE m.owner = current_user AND m.id IN (
      SELECT id FROM relay.messages WHERE owner = current_user
        AND (p->>'from' IS NULL OR reader = relay.other(p->>'from'))
        AND (p->>'project' IS NULL OR relay.folded(project) = relay.folded(p->>'project'))
        AND (p->>'since' IS NULL OR created_at >= to_timestamp((p->>'since')::bigint / 1000.0))
        AND (p->>'pattern' IS NULL OR message ILIKE p->>'pattern')
      ORDER BY id DESC LIMIT (p->>'limit')::integer));
END $$;

CREATE OR REPLACE FUNCTION relay.delivery(to_reader text) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT json_build_object('count', messages, 'at', relay.iso(delivered_at), 'origin', origin, 'project', project)
    FROM relay.deliveries WHERE owner = current_user AND reader = to_reader);
END $$;

CREATE OR REPLACE FUNCTION relay.counts(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  PERFORM relay.accept(p);
  RETURN (
    WITH visible AS MATERIALIZED (
      SELECT id, reader, project, created_at, read_at FROM relay.messages WHERE owner = current_user AND left_at IS NULL
    ), unread AS (SELECT * FROM visible WHERE read_at IS NULL)
    SELECT json_build_object(
      'total', (SELECT count(*) FROM visible),
      'history', coalesce((SELECT history_messages FROM relay.mailboxes WHERE owner = current_user), 0),
      'unread', json_build_object('desktop', (SELECT count(*) FROM unread WHERE reader = 'desktop'),
        'code', (SELECT count(*) FROM unread WHERE reader = 'code')),
      'projects', (SELECT coalesce(json_agg(json_build_object('project', project, 'count', n) ORDER BY first), '[]') FROM (
        SELECT (array_agg(project ORDER BY id))[1] AS project, count(*) AS n, min(id) AS first FROM unread
        WHERE reader = 'code' AND project IS NOT NULL GROUP BY relay.folded(project)) AS named),
      'latest', (SELECT json_build_object('id', id, 'sender', relay.other(reader), 'timestamp', relay.iso(created_at))
        FROM visible ORDER BY id DESC LIMIT 1),
      'delivered', json_build_object('desktop', relay.delivery('desktop'), 'code', relay.delivery('code'))));
END $$;

CREATE OR REPLACE FUNCTION relay.clear(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  answer json;
BEGIN
  PERFORM relay.enter(p);
  WITH gone AS (
    DELETE FROM relay.messages WHERE owner = current_user RETURNING id, reader, project, left_at, read_at
  ), noted AS (
    INSERT INTO relay.dropped (message_id, reader, project, cleared_by)
      SELECT id, reader, project, p->>'by' FROM gone WHERE left_at IS NULL AND read_at IS NULL AND reader <> p->>'by'
      ON CONFLICT (owner, message_id) DO UPDATE SET cleared_by = excluded.cleared_by
  ), emptied AS (
    UPDATE relay.mailboxes SET history_messages = 0, history_bytes = 0 WHERE owner = current_user
  )
  SELECT json_build_object('deleted', count(*) FILTER (WHERE left_at IS NULL),
    'deleted_unread', count(*) FILTER (WHERE left_at IS NULL AND read_at IS NULL),
    'deleted_history', count(*) FILTER (WHERE left_at IS NOT NULL)) INTO answer FROM gone;
  RETURN answer;
END $$;

-- Stores a preference; a renewed one only if none is stored.
CREATE OR REPLACE FUNCTION relay.set_preference(client_name text, preference jsonb, renewed boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  stored boolean := EXISTS (SELECT FROM relay.clients WHERE owner = current_user AND client = client_name AND notify IS NOT NULL);
  is_default boolean := (preference->>'notify')::boolean AND preference->>'sound' = 'default';
BEGIN
  IF (stored AND renewed) OR (NOT stored AND is_default) THEN
    RETURN;
  END IF;
  INSERT INTO relay.clients (client, notify, sound) VALUES (client_name, (preference->>'notify')::boolean, preference->>'sound')
    ON CONFLICT (owner, client) DO UPDATE SET notify = excluded.notify, sound = excluded.sound;
END $$;

CREATE OR REPLACE FUNCTION relay.prefer(p jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF relay.enter(p, (p->>'make')::boolean) IS NOT NULL THEN
    PERFORM relay.set_preference(p->>'client', p->'preference', false);
  END IF;
END $$;

-- What is to be announced now, the servers of this machine to whose next look it is left, and in how many milliseconds a look
-- may find more.
CREATE OR REPLACE FUNCTION relay.look(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  t timestamptz;
  is_final boolean := coalesce((p->>'final')::boolean, false);
  leases json[] := '{}';
  servers bigint[] := '{}';
  deferred boolean := false;
  for_one boolean := p->>'reader' IS NOT NULL; -- of an append
  for_reader text;
  lease json;
BEGIN
  PERFORM relay.accept(p);
  IF p->>'echo' IS NOT NULL THEN
    PERFORM pg_notify(relay.channel(), p->>'echo');
  END IF;
  IF relay.has_work(p, is_final) THEN
    t := relay.enter(p, p->>'server' IS NOT NULL AND NOT is_final);
    IF t IS NOT NULL THEN
      PERFORM relay.forget_tickets(t);
      IF p->>'own' IS NOT NULL THEN
        PERFORM relay.set_preference(p->'own'->>'client', p->'own'->'preference', true);
      END IF;
      servers := relay.other_servers(p, t);
      FOREACH for_reader IN ARRAY CASE WHEN for_one THEN ARRAY[p->>'reader'] ELSE '{desktop,code}' END LOOP
        IF cardinality(servers) > 0 AND relay.cooldown_end(for_reader, t) IS NOT NULL THEN
          deferred := deferred OR EXISTS (SELECT FROM relay.messages m WHERE m.owner = current_user AND m.left_at IS NULL
            AND m.reader = for_reader AND relay.is_pending(m, p->>'machine'));
        ELSE
          lease := relay.lease_notification(for_reader, p->>'machine', NOT for_one, t);
          leases := CASE WHEN lease IS NULL THEN leases ELSE leases || lease END;
        END IF;
      END LOOP;
    END IF;
  END IF;
  RETURN json_build_object('channel', relay.channel(), 'leases', leases, 'deferred', CASE WHEN deferred THEN servers END,
    'next', relay.next_look(p->>'machine', coalesce(t, relay.moment(p))));
END $$;

-- Whether a look would change anything.
CREATE OR REPLACE FUNCTION relay.has_work(p jsonb, is_final boolean) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
  t timestamptz := relay.moment(p);
  registered boolean := EXISTS (SELECT FROM relay.servers s WHERE owner = current_user AND s.machine = p->>'machine'
    AND process = (p->>'server')::bigint AND seen_at <= t AND (is_final OR seen_at > t - interval '{serverSeenMs} ms' / 2));
BEGIN
  RETURN registered = is_final
    OR EXISTS (SELECT FROM relay.messages m WHERE m.owner = current_user AND m.left_at IS NULL AND relay.is_pending(m, p->>'machine'))
    OR EXISTS (SELECT FROM relay.tickets WHERE owner = current_user);
END $$;

-- The end of a cooldown or a lease that keeps a message from being announced, in milliseconds.
CREATE OR REPLACE FUNCTION relay.next_look(machine text, t timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT ceil(extract(epoch FROM min(greatest(
      m.notification_leased_at + interval '{notificationLeaseMs} ms', m.leased_at + interval '{leaseMs} ms',
      c.notification_leased_at + interval '{cooldownMs} ms')) - t) * 1000)
    FROM relay.messages m LEFT JOIN relay.clients c ON c.owner = current_user AND c.client = m.reader
    WHERE m.owner = current_user AND m.left_at IS NULL AND relay.is_pending(m, machine));
END $$;

CREATE OR REPLACE FUNCTION relay.mark_notified(p jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  t timestamptz := relay.enter(p);
BEGIN
  UPDATE relay.messages SET notified_at = t, notification_lease = NULL, notification_leased_at = NULL
    WHERE owner = current_user AND left_at IS NULL AND notification_lease = (p->>'lease')::uuid;
END $$;

-- The reader saw nothing, so the cooldown ends, and the other machines look at once.
CREATE OR REPLACE FUNCTION relay.release_notification(p jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM relay.enter(p);
  UPDATE relay.clients SET notification_lease = NULL, notification_leased_at = NULL
    WHERE owner = current_user AND notification_lease = (p->>'lease')::uuid;
  UPDATE relay.messages SET notification_lease = NULL, notification_leased_at = NULL
    WHERE owner = current_user AND left_at IS NULL AND notification_lease = (p->>'lease')::uuid;
  IF FOUND THEN
    PERFORM pg_notify(relay.channel(), '');
  END IF;
  -- its notifier fails, so its looks do nothing
  DELETE FROM relay.servers s
    WHERE owner = current_user AND s.machine = p->>'machine' AND process = (p->>'server')::bigint;
END $$;

CREATE OR REPLACE FUNCTION relay.forget_tickets(t timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM relay.tickets WHERE owner = current_user
    AND (issued_at > t OR issued_at <= t - CASE WHEN refused THEN interval '{refusalMs} ms' ELSE interval '{ticketMs} ms' END);
END $$;

CREATE OR REPLACE FUNCTION relay.issue_ticket(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  t timestamptz := relay.enter(p, p->>'ticket' IS NOT NULL);
BEGIN
  PERFORM relay.forget_tickets(t);
  IF p->>'ticket' IS NULL THEN
    DELETE FROM relay.tickets
      WHERE owner = current_user AND session = p->>'session' AND process = (p->>'process')::bigint AND NOT refused;
    RETURN 'true';
  END IF;
  PERFORM relay.note_project(p->>'project', t);
  INSERT INTO relay.tickets AS old (session, process, project, ticket, issued_at)
    VALUES (p->>'session', (p->>'process')::bigint, p->>'project', p->'ticket', t)
    ON CONFLICT (owner, session, process) DO UPDATE SET project = excluded.project, ticket = excluded.ticket, issued_at = t
      WHERE NOT old.refused;
  RETURN to_json(FOUND);
END $$;

-- Removes the session's ticket and leases its page; NULL if there is none, which is noted.
CREATE OR REPLACE FUNCTION relay.redeem_ticket(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  t timestamptz := relay.enter(p);
  its relay.tickets;
  page json;
BEGIN
  IF t IS NULL THEN
    RETURN NULL;
  END IF;
  PERFORM relay.forget_tickets(t);
  DELETE FROM relay.tickets
    WHERE owner = current_user AND session = p->>'session' AND process = (p->>'process')::bigint AND NOT refused
    RETURNING * INTO its;
  IF NOT FOUND THEN
    INSERT INTO relay.tickets (session, process, refused, issued_at) VALUES (p->>'session', (p->>'process')::bigint, true, t)
      ON CONFLICT (owner, session, process) DO UPDATE SET refused = true, ticket = NULL, issued_at = t;
    RETURN NULL;
  END IF;
  IF its.ticket->>'words' IN ('', 'all') THEN
    page := relay.lease_page(p || jsonb_build_object('only', its.ticket->'ids',
      'wanted', CASE its.ticket->>'words' WHEN '' THEN its.project END), t);
  END IF;
  RETURN json_build_object('ticket', its.ticket, 'project', its.project, 'page', page);
END $$;

GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA relay TO PUBLIC;
