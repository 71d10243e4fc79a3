-- SPDX-License-Identifier: MIT
-- What must hold of the learner's server. lab.reply: bytes of the answer; lab.endless: 1 for a client that
-- never stops sending, and so reads too late: then only the first and the last check ask for anything.

-- check: the answer is sent
-- pass: the server's kernel took all {reply} bytes of it
-- fail: the server's kernel took {got} bytes, and the answer has {reply}
SELECT coalesce(sum(l.written), 0) = m.value AS pass, coalesce(sum(l.written), 0) AS got, m.value AS reply,
       (SELECT group_concat(return_id) FROM call
        WHERE role = 'server' AND name IN ('send', 'write', 'writev', 'sendmsg')) AS evidence
FROM meta m LEFT JOIN ledger l ON l.sender = 'server' WHERE m.key = 'lab.reply';

-- check: the client reads the whole answer
-- pass: it read {got} of {reply} bytes{note}
-- fail: {why}
SELECT endless.value = 1 OR coalesce(sum(l.read), 0) = m.value AS pass,
       coalesce(sum(l.read), 0) AS got, m.value AS reply,
       CASE WHEN endless.value = 1 AND coalesce(sum(l.read), 0) < m.value
            THEN '; a client that never stops sending may lose the rest' ELSE '' END AS note,
       iif((SELECT count(*) FROM conn WHERE established = 1) = 0, 'there was no connection',
           'it read ' || coalesce(sum(l.read), 0) || ' of ' || m.value || ' bytes: the rest is lost') AS why,
       (SELECT max(return_id) FROM call WHERE role = 'client' AND name = 'recv') AS evidence
FROM meta m JOIN meta endless ON endless.key = 'lab.endless' LEFT JOIN ledger l ON l.sender = 'server'
WHERE m.key = 'lab.reply';

-- check: the end of the client's sending is seen
-- pass: recv() of the server returned 0 before it closed{note}
-- fail: {why}
SELECT endless.value = 1 OR count(c.return_id) > 0 AS pass,
       CASE endless.value WHEN 1 THEN ', or it gave up on a client that never stops' ELSE '' END AS note,
       iif((SELECT count(*) FROM conn WHERE established = 1) = 0, 'there was no connection',
           'recv() of the server never returned 0: it closed while the client may still have been sending') AS why,
       coalesce(max(c.return_id),
                (SELECT max(id) FROM call WHERE role = 'server' AND name = 'close' AND conn IS NOT NULL)) AS evidence
FROM meta endless LEFT JOIN call c ON c.role = 'server' AND c.eof = 1
     AND EXISTS (SELECT 1 FROM segment s WHERE s.sender = 'client' AND s.fin = 1 AND s.event < c.return_id)
WHERE endless.key = 'lab.endless';

-- check: nobody sends an RST before the client has ended
-- pass: {n} RST in this conversation{note}
-- fail: {why}
SELECT endless.value = 1 OR count(s.event) = 0 AS pass, count(s.event) AS n,
       iif((SELECT count(*) FROM conn WHERE established = 1) = 0, 'there was no connection',
           'an RST of the ' || max(s.sender) || ': what was not delivered by then is lost') AS why,
       CASE endless.value WHEN 1 THEN ', which a client that never stops cannot complain of' ELSE '' END AS note,
       group_concat(s.event) AS evidence
FROM meta endless LEFT JOIN segment s ON s.rst = 1 AND s.paired = 0
WHERE endless.key = 'lab.endless';

-- check: the reading after the answer is bounded
-- pass: it closed{note}
-- fail: {why}
WITH bye AS (
  SELECT max(id) AS id FROM call
  WHERE role = 'server' AND name IN ('close', 'close_range') AND conn IS NOT NULL AND last_reference = 1),
-- The client's bytes, one each 50 ms at the soonest, are the clock: if the machine is slow, it is slow for both.
late AS (
  SELECT count(*) AS n, max(s.return_id) AS event FROM call s, bye, meta endless
  WHERE endless.key = 'lab.endless' AND endless.value = 1 AND s.role = 'client' AND s.name = 'send' AND s.requested = 1 AND
        s.ret = 1 AND s.id < coalesce(bye.id, 1 << 60))
SELECT bye.id IS NOT NULL AND late.n <= 60 AS pass,
       iif(late.n > 0, ', after ' || late.n || ' bytes of a client that sends one each 50 ms', '') AS note,
       CASE WHEN (SELECT count(*) FROM conn WHERE established = 1) = 0 THEN 'there was no connection'
            WHEN late.n > 60 THEN 'a client that sends one byte each 50 ms was still read after ' || late.n || ' of them: 3 s are 60'
            ELSE 'it had not closed when the run was over' END AS why,
       coalesce(late.event || ',', '') || coalesce(bye.id, (SELECT max(id) FROM call WHERE role = 'server' AND conn IS NOT NULL), '') AS evidence
FROM bye, late;
