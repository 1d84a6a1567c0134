/** The name of the workers' task in graphile-worker; its payload is `{ conversation }`. */
export const TASK = "colloquy";

/** The topic that is published to all processes when a user stops an answer. */
export const INTERRUPT = "interrupt";

/**
 * Wakes a worker for a conversation. A conversation has one job for all its events, in a queue of its own, so that only one
 * worker has it at a time and the table defines the order. graphile-worker accepts names of up to 128 characters. If the
 * job is running, another one follows it; if it is waiting until it is due, it keeps waiting.
 */
export const WAKE = `graphile_worker.add_job('${TASK}', json_build_object('conversation', $1::text), queue_name := $2,
  max_attempts := 32767, job_key := $2`;

/** $1 conversation, $2 its job key, $3 id, $4 entry, $5 the entry to store instead on overflow, $6 interrupts, $7 maximum. */
export const PUSH = `
  with waiting as (
    select count(*)::int as count, coalesce(bool_or(overflow and attempts = 0), false) as closing,
      coalesce(bool_or(id = $3), false) as known
    from colloquy.inbox where conversation = $1
  ), judged as (
    select *, case when known then 'known' when (not closing or $6) and count < $7 then 'stored' else 'full' end as verdict
    from waiting
  ), stored as (
    insert into colloquy.inbox (id, conversation, entry, overflow)
    select case verdict when 'stored' then $3 else $3 || '#overflow' end, $1,
      case verdict when 'stored' then $4 else $5 end, verdict = 'full'
    from judged where verdict = 'stored' or (verdict = 'full' and not closing)
    on conflict (id) do nothing returning number, overflow
  ), stopped as (
    update colloquy.inbox set interrupted = true
    where $6 and conversation = $1 and exists (select 1 from stored where not overflow) returning number
  ), woken as (
    select ${WAKE}, job_key_mode := 'preserve_run_at') from stored
  ), published as (
    select pg_notify('colloquy', json_build_object('topic', '${INTERRUPT}', 'what',
      json_build_object('conversation', $1::text, 'before', number))::text)
    from stored where $6 and not overflow
  )
  select verdict, count, (select count(*) from woken), (select count(*) from published) from judged`;

/** $1 conversation. The attempt at an event with which a process may have died is counted when it begins. */
export const TAKE = `
  update colloquy.inbox i set attempts = first.attempts + (first.attempts <= first.failures)::int
  from (
    select number, attempts, failures from colloquy.inbox where conversation = $1 order by number limit 1
  ) first
  where i.number = first.number
  returning i.number::float8 as number, id, entry, interrupted, first.attempts + 1 as attempts, first.failures`;

/** $1 number, $2 deaths. An event that is running counts as one death: it was begun and has not ended. */
export const HAS_SAFER = `
  select exists (select 1 from colloquy.inbox where number <> $1 and attempts - failures between 1 and $2 - 1) as found`;

/** $1 conversation, $2 its job key, $3 number, $4 attempts, $5 pause in ms, $6 1 if it has failed. */
export const GIVE_BACK = `
  with back as (
    update colloquy.inbox set attempts = $4, failures = failures + $6 where number = $3 returning 1
  )
  select ${WAKE}, run_at := now() + $5 * interval '1 ms') from back`;
