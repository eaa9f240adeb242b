"""The statements of the PostgreSQL store. Columns are listed in the order the code reads them."""

from typing import Final

from arrears.shared.eventstore.codec import DATA

EVENT_COLUMNS: Final = (
    "shard",
    "seq",
    "stream",
    "version",
    "event_id",
    "type",
    "borrower_id",
    "business_day",
    "value",
)
AGENDA_COLUMNS: Final = (
    "shard",
    "day",
    "row_id",
    "at",
    "rank",
    "borrower_id",
    "order_key",
    "origin",
    "value",
)
PARKED_COLUMNS: Final = (
    "shard",
    "borrower_id",
    "error",
    "first",
    "parked_at",
    "day",
    "row_id",
    "at",
    "rank",
    "order_key",
    "origin",
    "value",
)
_EVENTS: Final = ", ".join(f"e.{column}" for column in EVENT_COLUMNS)

SHARD_STATES: Final = "SELECT shard, last_seq, epoch, owner, open_day FROM shards ORDER BY shard"
LOAD_STREAMS: Final = f"""
    SELECT {_EVENTS}
    FROM unnest($1::smallint[], $2::text[]) AS wanted (shard, stream)
    CROSS JOIN LATERAL (
        SELECT * FROM events
        WHERE events.shard = wanted.shard AND events.stream = wanted.stream
        ORDER BY version
    ) AS e
    ORDER BY e.shard, e.stream, e.version
"""
EVENT: Final = f"""
    SELECT {_EVENTS} FROM events AS e WHERE e.shard = ANY($1::smallint[]) AND e.event_id = $2
"""
"""Every shard is named, for the index begins with it."""
EVENTS_AFTER: Final = f"""
    SELECT {_EVENTS} FROM events AS e WHERE e.shard = $1 AND e.seq > $2 ORDER BY e.seq LIMIT $3
"""
DATA_AFTER: Final = f"""
    SELECT seq, type, substr(value, begin, length(value) - begin)
    FROM (
        SELECT seq, type, value, position('{DATA}'::bytea IN value) + {len(DATA)} AS begin
        FROM events WHERE shard = $1 AND seq > $2 ORDER BY seq LIMIT $3
    ) AS e
"""
"""Data are cut out here, where there is time: a reader far behind spends less on what it skips."""
OPEN_FIRST_DAY: Final = """
    UPDATE shards SET open_day = coalesce(open_day, $2) WHERE shard = $1 RETURNING open_day
"""
POSITIONS: Final = """
    SELECT topic, partition, position, last_seq, last_hash, closed_day, first_day FROM positions
"""
_AGENDA: Final = f"""
    SELECT {", ".join(f"a.{column}" for column in AGENDA_COLUMNS)} FROM agenda AS a
    WHERE a.shard = ANY($1::smallint[]) AND a.day <= $2 AND a.at < $3"""
AGENDA: Final = f"{_AGENDA} ORDER BY a.shard LIMIT $4"
AGENDA_OF_FREE: Final = f"""{_AGENDA}
        AND NOT EXISTS (
            SELECT FROM effects AS e WHERE e.shard = a.shard AND e.borrower_id = a.borrower_id)
    ORDER BY a.shard LIMIT $4
"""
DUE: Final = """
    SELECT shard FROM unnest($1::smallint[]) AS w (shard)
    WHERE EXISTS (SELECT FROM agenda AS a WHERE a.shard = w.shard AND day <= $2 AND at < $3)
        OR EXISTS (SELECT FROM timers AS t WHERE t.shard = w.shard AND due_at < $3)
"""
WAITING: Final = """
    SELECT w.borrower_id FROM unnest($1::smallint[], $2::text[]) AS w (shard, borrower_id)
    WHERE EXISTS (
        SELECT FROM agenda AS a
        WHERE a.shard = w.shard AND a.borrower_id = w.borrower_id AND a.day <= $3 AND a.at < $4)
"""
TIMERS: Final = """
    SELECT shard, stream, borrower_id, due_at FROM timers
    WHERE shard = ANY($1::smallint[]) AND due_at < $2
"""
EFFECT: Final = """
    SELECT shard, event_id, stream, borrower_id, kind, at, sent_at, in_doubt FROM effects
    WHERE event_id = $1
"""
EFFECTS: Final = """
    SELECT shard, event_id, stream, borrower_id, kind, at, sent_at, in_doubt FROM effects
    WHERE shard = ANY($1::smallint[]) ORDER BY shard, at, event_id
"""
PARKED_BORROWERS: Final = """
    SELECT borrower_id, min(parked_at) FROM parked WHERE shard = ANY($1::smallint[])
    GROUP BY borrower_id
"""
PARKED_INPUTS: Final = f"""
    SELECT {", ".join(AGENDA_COLUMNS)}, number FROM parked WHERE borrower_id = $1 ORDER BY number
"""
CURSORS: Final = "SELECT shard, published_seq FROM cursors WHERE shard = ANY($1::smallint[])"
MOVE_CURSORS: Final = """
    WITH moved AS (
        UPDATE cursors AS c SET published_seq = m.after
        FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS m (shard, before, after)
        WHERE c.shard = m.shard AND c.published_seq = m.before
        RETURNING c.shard)
    SELECT 1 / (count(*) = cardinality($1::smallint[]))::int FROM moved
"""
"""All cursors or none, in one round trip: dividing by zero takes the statement back."""
SETTLE_HOMES: Final = """
    WITH wanted AS (SELECT * FROM unnest($1::text[], $2::text[]) AS w (loan, borrower_id)),
    known AS (SELECT loan, borrower_id FROM loan_homes WHERE loan = ANY($1::text[])),
    settled AS (
        INSERT INTO loan_homes (loan, borrower_id)
        SELECT loan, borrower_id FROM wanted
        WHERE borrower_id IS NOT NULL
            AND NOT EXISTS (SELECT FROM known WHERE known.loan = wanted.loan)
        ORDER BY loan
        ON CONFLICT DO NOTHING
        RETURNING loan, borrower_id)
    SELECT loan, borrower_id FROM known UNION ALL SELECT loan, borrower_id FROM settled
"""
HOMES: Final = "SELECT loan, borrower_id FROM loan_homes WHERE loan = ANY($1::text[])"
PREPARE_POSITIONS: Final = """
    INSERT INTO positions (topic, partition, position, last_hash)
    SELECT topic, partition, 0, ''::bytea
    FROM unnest($1::text[], $2::smallint[]) AS w (topic, partition)
    ON CONFLICT DO NOTHING
"""
_HOLD: Final = """
    UPDATE idempotency AS i SET
        status = CASE WHEN h.answer IS NULL THEN 0 ELSE 200 END, body = coalesce(h.answer, '')
    FROM unnest(${keys}::text[], ${actors}::text[], ${turns}::text[], ${answers}::bytea[])
        AS h (key, actor, turn, answer)
    WHERE i.key = h.key AND i.actor = h.actor AND i.created_at = h.turn::timestamptz
        AND i.status = 0
    RETURNING i.key"""
HOLD_TURNS: Final = _HOLD.format(keys=1, actors=2, turns=3, answers=4)
"""Whoever would take one of these over waits for our commit, and then finds what it left."""
_CLAIMED: Final = """
    WITH positions_moved AS (
        UPDATE positions AS p SET
            position = m.position, last_seq = m.last_seq, last_hash = m.last_hash,
            closed_day = m.closed_day, first_day = m.first_day
        FROM unnest(
            $1::text[], $2::smallint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[],
            $7::date[], $8::date[]
        ) AS m (topic, partition, expected, position, last_seq, last_hash, closed_day, first_day)
        WHERE p.topic = m.topic AND p.partition = m.partition AND p.position = m.expected
        RETURNING 1),
    locked AS (
        SELECT shard FROM shards WHERE shard = ANY($9::smallint[]) ORDER BY shard FOR UPDATE),
    shards_moved AS (
        UPDATE shards AS s SET
            last_seq = s.last_seq + m.added, open_day = coalesce(m.next_day, s.open_day)
        FROM locked JOIN unnest(
            $9::smallint[], $10::bigint[], $11::bigint[], $12::date[], $13::bigint[], $14::date[],
            $15::timestamptz[]
        ) AS m (shard, expected, epoch, open_day, added, next_day, idle_until) USING (shard)
        WHERE s.shard = locked.shard
            AND s.last_seq = coalesce(m.expected, s.last_seq)
            AND s.epoch = coalesce(m.epoch, s.epoch)
            AND s.open_day IS NOT DISTINCT FROM m.open_day
            AND (m.idle_until IS NULL OR NOT EXISTS (
                SELECT FROM agenda AS a
                WHERE a.shard = s.shard AND a.day <= m.open_day AND a.at < m.idle_until
                ) AND NOT EXISTS (
                SELECT FROM timers AS t WHERE t.shard = s.shard AND t.due_at < m.idle_until))
        RETURNING s.shard, s.last_seq)"""
CLAIM: Final = f"""{_CLAIMED}
    SELECT (SELECT count(*) FROM positions_moved),
        ARRAY(SELECT shard FROM shards_moved), ARRAY(SELECT last_seq FROM shards_moved)
"""
"""Compare and move positions, then shards, locked in ascending order: one round trip."""
CLAIM_AND_APPEND: Final = f"""{_CLAIMED},
    appended AS (
        INSERT INTO events ({", ".join(EVENT_COLUMNS)})
        SELECT m.shard, m.last_seq - a.added + e.nth, e.stream, e.version, e.event_id, e.type,
            e.borrower_id, e.business_day, e.value
        FROM unnest(
            $16::smallint[], $17::bigint[], $18::text[], $19::int[], $20::text[], $21::text[],
            $22::text[], $23::date[], $24::bytea[]
        ) AS e (shard, nth, stream, version, event_id, type, borrower_id, business_day, value)
        JOIN shards_moved AS m USING (shard)
        JOIN unnest($9::smallint[], $13::bigint[]) AS a (shard, added) USING (shard)),
    timers_deleted AS (
        DELETE FROM timers AS t USING unnest($25::smallint[], $26::text[]) AS d (shard, stream)
        WHERE t.shard = d.shard AND t.stream = d.stream),
    timers_set AS (
        INSERT INTO timers (shard, stream, borrower_id, due_at)
        SELECT * FROM unnest($27::smallint[], $28::text[], $29::text[], $30::timestamptz[])
        ON CONFLICT (shard, stream) DO UPDATE SET due_at = excluded.due_at),
    turns_held AS ({_HOLD.format(keys=31, actors=32, turns=33, answers=34)})
    SELECT 1 / ((SELECT count(*) FROM positions_moved) = cardinality($1::text[])
        AND (SELECT count(*) FROM shards_moved) = cardinality($9::smallint[])
        AND (SELECT count(*) FROM turns_held) = cardinality($31::text[]))::int
"""
"""All of it or nothing, in one round trip: dividing by zero takes the statement back."""
EPOCHS: Final = "SELECT shard, epoch FROM shards WHERE shard = ANY($1::smallint[]) ORDER BY shard"
DELETE_AGENDA: Final = """
    DELETE FROM agenda AS a
    USING unnest($1::smallint[], $2::date[], $3::bigint[]) AS d (shard, day, row_id)
    WHERE a.shard = d.shard AND a.day = d.day AND a.row_id = d.row_id
"""
DELETE_TIMERS: Final = """
    DELETE FROM timers AS t USING unnest($1::smallint[], $2::text[]) AS d (shard, stream)
    WHERE t.shard = d.shard AND t.stream = d.stream
"""
SET_TIMERS: Final = """
    INSERT INTO timers (shard, stream, borrower_id, due_at)
    SELECT * FROM unnest($1::smallint[], $2::text[], $3::text[], $4::timestamptz[])
    ON CONFLICT (shard, stream) DO UPDATE SET due_at = excluded.due_at
"""
ADD_EFFECTS: Final = """
    INSERT INTO effects (event_id, shard, stream, borrower_id, kind, at)
    SELECT * FROM unnest(
        $1::text[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
"""
DELETE_EFFECTS: Final = "DELETE FROM effects WHERE event_id = ANY($1::text[])"
SEND_AGAIN: Final = """
    UPDATE effects SET sent_at = NULL, in_doubt = false
    WHERE event_id = ANY($1::text[]) AND in_doubt
"""
MARK_SENT: Final = """
    UPDATE effects AS e SET sent_at = $3
    FROM unnest($1::text[], $2::timestamptz[]) AS known (event_id, sent_at)
    WHERE e.event_id = known.event_id AND e.sent_at IS NOT DISTINCT FROM known.sent_at
      AND NOT e.in_doubt
"""
MARK_IN_DOUBT: Final = "UPDATE effects SET in_doubt = true WHERE event_id = ANY($1::text[])"
ADD_REFUSED: Final = """
    INSERT INTO refused
        (origin, reason, field, fact_id, borrower_id, day, value, refused_at, bytes_expire_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8::timestamptz + interval '90 days')
    ON CONFLICT (origin) DO NOTHING
"""
ADD_DUPLICATES: Final = """
    INSERT INTO duplicates (origin, event_id) SELECT * FROM unnest($1::text[], $2::text[])
    ON CONFLICT DO NOTHING
"""
DELETE_PARKED: Final = "DELETE FROM parked WHERE number = ANY($1::bigint[])"
