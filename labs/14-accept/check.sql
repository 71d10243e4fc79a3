-- SPDX-License-Identifier: MIT
-- What must hold of the learner's server. lab.clients come; lab.work is in ms, lab.backlog the given length.

-- check: no SYN is sent twice
-- pass: each of {clients} clients was let in by its first SYN
-- fail: {why}
SELECT count(s.event) = 0 AND hit.n = 0 AND (SELECT count(*) FROM conn WHERE established = 1) > 0 AS pass, m.value AS clients,
       iif((SELECT count(*) FROM conn WHERE established = 1) = 0, 'there was no connection',
           count(s.event) || ' SYNs were sent again; ' || hit.n || ' times the accept queue was full when one came') AS why,
       coalesce((SELECT group_concat(event) FROM (SELECT event FROM verdict WHERE rule = 'queue-full' ORDER BY id LIMIT 1))
                || ',', '') ||
       coalesce((SELECT group_concat(event) FROM (SELECT event FROM segment WHERE syn = 1 AND retransmission = 1 AND
                 paired = 0 ORDER BY event LIMIT 4)), '') AS evidence
FROM meta m LEFT JOIN segment s ON s.syn = 1 AND s.retransmission = 1 AND s.paired = 0 AND s.sender = 'client'
     JOIN (SELECT count(*) AS n FROM event WHERE kind = 'rcvq_full' AND accept_depth IS NOT NULL) hit
WHERE m.key = 'lab.clients';

-- check: the queue is not longer than given
-- pass: at most {n} may wait, and {given} are allowed
-- fail: {why}
SELECT coalesce(max(e.accept_limit) <= m.value, 0) AS pass, coalesce(max(e.accept_limit), 0) AS n, m.value AS given,
       coalesce(max(e.accept_limit) || ' may wait, and ' || m.value || ' are allowed', 'no socket listened') AS why,
       (SELECT group_concat(coalesce(return_id, id)) FROM call WHERE name = 'listen') AS evidence
FROM meta m LEFT JOIN event e ON e.accept_limit IS NOT NULL WHERE m.key = 'lab.backlog';

-- check: every client is answered
-- pass: {n} of {clients} clients read an answer
-- fail: {n} of {clients} clients read an answer
SELECT count(l.conn) = m.value AS pass, count(l.conn) AS n, m.value AS clients,
       (SELECT group_concat(event) FROM (SELECT c.event FROM conn c JOIN ledger a ON a.conn = c.id AND
        a.sender = 'server' AND a.read < 5 ORDER BY c.id LIMIT 4)) AS evidence
FROM meta m LEFT JOIN ledger l ON l.sender = 'server' AND l.read >= 5 WHERE m.key = 'lab.clients';

-- check: the work is done for each client
-- pass: no answer came earlier than {ms} ms after accept()
-- fail: {n} answers came earlier than {ms} ms after accept()
SELECT coalesce(sum(s.t - a.t_ns < m.value * 1000000), 0) = 0 AS pass, m.value AS ms,
       coalesce(sum(s.t - a.t_ns < m.value * 1000000), 0) AS n,
       (SELECT group_concat(ids) FROM (SELECT a.return_id || ',' || s.id AS ids FROM call a JOIN call s ON
        s.conn = a.conn AND s.role = 'server' AND s.len > 0 AND s.name NOT LIKE 'accept%' WHERE a.name LIKE 'accept%' AND
        a.ret >= 0 ORDER BY a.id LIMIT 2)) AS evidence
FROM meta m
     LEFT JOIN call a ON a.name LIKE 'accept%' AND a.ret >= 0
     LEFT JOIN (SELECT conn, min(t_enter_ns) AS t FROM call WHERE role = 'server' AND len > 0 AND
                name IN ('send', 'write', 'writev', 'sendmsg') GROUP BY conn) s ON s.conn = a.conn
WHERE m.key = 'lab.work';

-- check: no answer waits for clients to come
-- pass: the first answer left before the last client came
-- fail: {why}
WITH answer AS (SELECT min(event) AS event FROM segment WHERE sender = 'server' AND len > 0),
last AS (SELECT max(event) AS event FROM segment WHERE sender = 'client' AND syn = 1 AND retransmission = 0 AND paired = 0)
SELECT coalesce(answer.event < last.event, 0) AS pass,
       iif(count(a.id) = 0, 'no client was accepted', count(a.id) || ' clients were accepted, and none had an answer before the ' ||
           'last one came: whose turn is it while nobody comes?') AS why,
       coalesce(answer.event || ',' || last.event, max(a.return_id) || coalesce(',' || max(p.id), '')) AS evidence
FROM answer, last LEFT JOIN call a ON a.name LIKE 'accept%' AND a.ret >= 0
     LEFT JOIN call p ON p.name LIKE 'accept%' AND p.pending = 1;

-- check: it ends after the last answer
-- pass: when it ended, the last answer had left
-- fail: {why}
WITH over AS ( -- the last that is known of the process that called listen() is its end
    SELECT max(e.id) AS id FROM event e JOIN meta m ON m.key = 'lab.ended' AND m.value = 'exit'
    WHERE e.kind = 'proc' AND e.pid = (SELECT pid FROM call WHERE name = 'listen' ORDER BY id LIMIT 1)),
answer AS (
    SELECT s.event, s.event > over.id AS late FROM segment s, over
    WHERE s.sender = 'server' AND s.len > 0 AND s.retransmission = 0 AND s.paired = 0)
SELECT coalesce(sum(late), 1) = 0 AS pass,
       CASE WHEN count(event) = 0 THEN 'there was no answer'
            WHEN over.id IS NULL THEN 'it had not ended when the run was over'
            ELSE 'when it ended, ' || sum(late) || ' of ' || count(event) || ' answers had not left yet: who would know if they fail?' END AS why,
       coalesce(over.id || ',', '') || coalesce((SELECT group_concat(event) FROM (SELECT event FROM answer ORDER BY event DESC LIMIT 3)), '') AS evidence
FROM over LEFT JOIN answer;
