import pg from 'pg'

/** A row that has become visible to everybody. */
export type Row =
  | { readonly table: 'journal_event'; readonly type: string; readonly round: number }
  | { readonly table: 'model'; readonly round: number }

export interface JournalWatch {
  close(): Promise<void>
}

/**
 * Has the database itself tell of every journal event and model as it is committed, note when each event was
 * written, and take its time over some: a kill falls between a statement and its answer then.
 *
 * @param slowMs longest time that an event takes more
 */
export async function watchJournal(
  url: string,
  { slowMs, onRow }: { readonly slowMs: number; readonly onRow: (row: Row) => void },
): Promise<JournalWatch> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  client.on('error', () => undefined)
  client.on('notification', ({ payload }) => onRow(JSON.parse(payload ?? '') as Row))
  await client.query(triggers(slowMs))
  await client.query('LISTEN chaos')
  return { close: () => client.end() }
}

/** A clock that a coordinator cannot turn: `at` of an event is what its coordinator says. */
export const WRITTEN_TABLE = 'chaos_written'

const triggers = (slowMs: number): string => `
CREATE TABLE ${WRITTEN_TABLE} (run_id uuid, seq integer, at timestamptz, PRIMARY KEY (run_id, seq));

CREATE FUNCTION chaos_slow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_sleep(NEW.seq * 7 % 4 / 3.0 * ${slowMs / 1000});
  RETURN NEW;
END $$;
CREATE TRIGGER chaos_slow BEFORE INSERT ON journal_event FOR EACH ROW EXECUTE FUNCTION chaos_slow();

CREATE FUNCTION chaos_journalled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO ${WRITTEN_TABLE} VALUES (NEW.run_id, NEW.seq, clock_timestamp());
  PERFORM pg_notify('chaos', json_build_object(
    'table', 'journal_event', 'type', NEW.event->>'type', 'round', (NEW.event->>'round')::int)::text);
  RETURN NULL;
END $$;
CREATE TRIGGER chaos_journalled AFTER INSERT ON journal_event
  FOR EACH ROW EXECUTE FUNCTION chaos_journalled();

CREATE FUNCTION chaos_saved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('chaos', json_build_object('table', 'model', 'round', NEW.round)::text);
  RETURN NULL;
END $$;
CREATE TRIGGER chaos_saved AFTER INSERT OR UPDATE ON model FOR EACH ROW EXECUTE FUNCTION chaos_saved();
`
