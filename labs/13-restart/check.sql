-- SPDX-License-Identifier: MIT
-- What must hold of the learner's server. lab.starts: how often it is started, lab.port: where it must listen.

-- check: every start gets the port
-- pass: it was started {starts} times, and listened at port {port} each time
-- fail: it was started {starts} times, and {n} times it listened at port {port}
SELECT count(DISTINCT s.sock) >= m.value AS pass, m.value AS starts, port.value AS port, count(DISTINCT s.sock) AS n,
       iif(count(DISTINCT s.sock) >= m.value, '',
           coalesce((SELECT group_concat(return_id) FROM (SELECT return_id FROM call WHERE ret < 0 AND
                     name IN ('bind', 'listen') ORDER BY id LIMIT 4)) || ',', '')) || coalesce(group_concat(s.event), '') AS evidence
FROM meta m JOIN meta port ON port.key = 'lab.port'
     LEFT JOIN (SELECT st.sock, st.event, k.src FROM state st JOIN sock k ON k.sid = st.sid WHERE st.new_state = 'LISTEN') s
            ON s.src LIKE '%:' || port.value
WHERE m.key = 'lab.starts';

-- check: a second server is refused
-- pass: while the first one listened, the second one {what}
-- fail: {why}
WITH listening AS (
    SELECT s.event, k.pid, k.src, coalesce((SELECT min(e.event) FROM state e WHERE e.sid = s.sid AND e.event > s.event AND
                                            e.new_state = 'CLOSE'), 1 << 60) AS gone
    FROM state s JOIN sock k ON k.sid = s.sid WHERE s.new_state = 'LISTEN'),
-- At which port does not matter: a server that nobody looks for at its port was not refused.
both AS (
    SELECT one.event || ',' || two.event AS events, two.src
    FROM listening one JOIN meta m ON m.key = 'lab.port' AND one.src LIKE '%:' || m.value
         JOIN listening two ON two.event > one.event AND two.event < one.gone AND two.pid <> one.pid
    ORDER BY two.event LIMIT 1),
refused AS (
    SELECT return_id, errno FROM call WHERE name IN ('bind', 'listen') AND errno = 'EADDRINUSE' ORDER BY id LIMIT 1)
SELECT (SELECT count(*) FROM both) = 0 AND min(l.event) IS NOT NULL AS pass,
       coalesce('got ' || (SELECT errno FROM refused), 'ended without asking for the port') AS what,
       CASE WHEN min(l.event) IS NULL THEN 'no socket listened at port ' || m.value
            WHEN (SELECT src FROM both) LIKE '%:' || m.value THEN 'a second socket listened at port ' || m.value ||
                 ' while the first one did: each got a part of the clients'
            ELSE 'while the first one listened, the second one went on, and listened at ' || (SELECT src FROM both) ||
                 ', where nobody looks for it' END AS why,
       coalesce((SELECT events FROM both), rtrim(min(l.event) || ',' || coalesce((SELECT return_id FROM refused), ''), ',')) AS evidence
FROM meta m LEFT JOIN listening l ON l.src LIKE '%:' || m.value WHERE m.key = 'lab.port';

-- check: nobody sends an RST
-- pass: all connections ended in order, or live on
-- fail: {why}
SELECT count(*) = 0 AND (SELECT count(*) FROM conn WHERE established = 1) > 0 AS pass,
       iif((SELECT count(*) FROM conn WHERE established = 1) = 0, 'there was no connection',
           count(*) || ' of them: connections were cut off') AS why,
       rtrim(min(s.event) || ',' || max(s.event), ',') AS evidence
FROM segment s JOIN conn c ON c.id = s.conn WHERE s.rst = 1 AND s.paired = 0 AND c.how <> 'refused';
