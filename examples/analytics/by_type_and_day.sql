-- How the runs of each workflow type went, day by day (UTC): counts, failures in percent, durations.
-- SQLite from 3.30 and PostgreSQL take it as it stands.
WITH ranked AS (
    SELECT *, cume_dist() OVER (
        PARTITION BY workflow_type, day, state = 'started' ORDER BY duration_ms
    ) AS share  -- of the day's ends that took as long or less
    FROM lifecycle_events
)
SELECT
    workflow_type,
    day,
    count(*) FILTER (WHERE state = 'started') AS started,
    count(*) FILTER (WHERE state <> 'started') AS ended,
    count(*) FILTER (WHERE state = 'completed') AS completed,
    count(*) FILTER (WHERE state = 'failed') AS failed,
    count(*) FILTER (WHERE state = 'timed_out') AS timed_out,
    count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
    count(*) FILTER (WHERE state = 'terminated') AS terminated,
    count(*) FILTER (WHERE state = 'continued_as_new') AS continued_as_new,
    -- Of the chains that ended: a run that is retried or continued is not the end of its work.
    round(
        100.0 * count(*) FILTER (WHERE state IN ('failed', 'timed_out') AND new_run_id IS NULL)
        / nullif(count(*) FILTER (WHERE state <> 'started' AND new_run_id IS NULL), 0),
        1
    ) AS failures_percent,
    min(duration_ms) FILTER (WHERE share >= 0.5) AS p50_ms,
    min(duration_ms) FILTER (WHERE share >= 0.95) AS p95_ms
FROM ranked
GROUP BY workflow_type, day
ORDER BY workflow_type, day;
