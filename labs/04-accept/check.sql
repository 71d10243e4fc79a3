-- SPDX-License-Identifier: MIT
-- What must hold of the learner's server. How things stood with a client when accept() returned is known from
-- the segments that had come by then: an RST, else a FIN, else it was alive. What the server said of it is the
-- line "PORT WORD" among the lines that were printed.

-- check: the clients come first
-- pass: all {want} had come when the first accept() returned
-- fail: {why}
SELECT count(DISTINCT s.conn) = m.value AS pass, m.value AS want,
       iif(EXISTS (SELECT 1 FROM call WHERE name LIKE 'accept%' AND ret >= 0), count(DISTINCT s.conn) || ' of ' || m.value ||
           ' had come when the first accept() returned: did it wait for Enter?', 'no accept() returned a client') AS why,
       (SELECT min(return_id) FROM call WHERE name LIKE 'accept%' AND ret >= 0) AS evidence
FROM meta m LEFT JOIN segment s ON s.sender = 'client' AND s.syn = 1 AND s.event <
       (SELECT min(return_id) FROM call WHERE name LIKE 'accept%' AND ret >= 0)
WHERE m.key = 'lab.clients';

-- check: every client is accepted
-- pass: all {want} of them
-- fail: {n} of {want} clients were accepted
SELECT count(k.id) = m.value AS pass, count(k.id) AS n, m.value AS want, max(k.return_id) AS evidence
FROM meta m LEFT JOIN call k ON k.name LIKE 'accept%' AND k.ret >= 0 WHERE m.key = 'lab.clients';

-- check: a client that is alive is told
-- pass: of {n} clients neither a FIN nor an RST had come, and so it was said
-- fail: {why}
WITH client AS (
  SELECT k.return_id AS taken, replace(c.client, rtrim(c.client, '0123456789'), '') AS port
  FROM call k JOIN conn c ON c.server_sid = k.sid2
  WHERE k.name LIKE 'accept%' AND k.ret >= 0 AND NOT EXISTS (
    SELECT 1 FROM segment s
    WHERE s.conn = c.id AND s.sender = 'client' AND (s.fin OR s.rst) AND s.event < k.return_id)),
told AS (
  SELECT c.*, (SELECT group_concat(m.value, ', ') FROM meta m
               WHERE m.key GLOB 'said.*[0-9]' AND m.value GLOB c.port || ' *') AS said FROM client c),
wrong AS (SELECT * FROM told WHERE said IS NOT port || ' alive' ORDER BY taken LIMIT 1)
SELECT count(*) > 0 AND count(*) = sum(t.said IS t.port || ' alive') AS pass, count(*) AS n,
       iif(count(*) = 0, 'no client that was alive was accepted',
           'of ' || count(*) || ' that were alive ' || sum(t.said IS t.port || ' alive') || ' are told so. Of port ' ||
           (SELECT port FROM wrong) || ' it is said: ' || coalesce((SELECT said FROM wrong), 'nothing')) AS why, coalesce((SELECT taken FROM wrong), min(t.taken)) AS evidence
FROM told t;

-- check: a client that has closed is told
-- pass: of {n} clients the FIN had come, and so it was said
-- fail: {why}
WITH client AS (
  SELECT k.return_id AS taken, replace(c.client, rtrim(c.client, '0123456789'), '') AS port, max(s.event) AS came
  FROM call k JOIN conn c ON c.server_sid = k.sid2
       JOIN segment s ON s.conn = c.id AND s.sender = 'client' AND s.event < k.return_id
  WHERE k.name LIKE 'accept%' AND k.ret >= 0
  GROUP BY k.id HAVING max(s.fin) = 1 AND max(s.rst) = 0),
told AS (
  SELECT c.*, (SELECT group_concat(m.value, ', ') FROM meta m
               WHERE m.key GLOB 'said.*[0-9]' AND m.value GLOB c.port || ' *') AS said FROM client c),
wrong AS (SELECT * FROM told WHERE said IS NOT port || ' closed' ORDER BY taken LIMIT 1)
SELECT count(*) > 0 AND count(*) = sum(t.said IS t.port || ' closed') AS pass, count(*) AS n,
       iif(count(*) = 0, 'no client that had closed was accepted',
           'of ' || count(*) || ' that had closed ' || sum(t.said IS t.port || ' closed') || ' are told so. Of port ' ||
           (SELECT port FROM wrong) || ' it is said: ' || coalesce((SELECT said FROM wrong), 'nothing')) AS why,
       coalesce((SELECT came || ',' || taken FROM wrong), min(t.came) || ',' || min(t.taken)) AS evidence
FROM told t;

-- check: a client that has reset is told
-- pass: of {n} clients an RST had come, and so it was said
-- fail: {why}
WITH client AS (
  SELECT k.return_id AS taken, replace(c.client, rtrim(c.client, '0123456789'), '') AS port,
         max(CASE WHEN s.rst THEN s.event END) AS came
  FROM call k JOIN conn c ON c.server_sid = k.sid2
       JOIN segment s ON s.conn = c.id AND s.sender = 'client' AND s.event < k.return_id
  WHERE k.name LIKE 'accept%' AND k.ret >= 0
  GROUP BY k.id HAVING max(s.rst) = 1),
told AS (
  SELECT c.*, (SELECT group_concat(m.value, ', ') FROM meta m
               WHERE m.key GLOB 'said.*[0-9]' AND m.value GLOB c.port || ' *') AS said FROM client c),
wrong AS (SELECT * FROM told WHERE said IS NOT port || ' reset' ORDER BY taken LIMIT 1)
SELECT count(*) > 0 AND count(*) = sum(t.said IS t.port || ' reset') AS pass, count(*) AS n,
       iif(count(*) = 0, 'no client that had reset was accepted',
           'of ' || count(*) || ' that had reset ' || sum(t.said IS t.port || ' reset') || ' are told so. Of port ' ||
           (SELECT port FROM wrong) || ' it is said: ' || coalesce((SELECT said FROM wrong), 'nothing')) AS why,
       coalesce((SELECT came || ',' || taken FROM wrong), min(t.came) || ',' || min(t.taken)) AS evidence
FROM told t;

-- check: no call waits for a client
-- pass: none of its calls waited for a client that says nothing
-- fail: {n} of its calls waited for a client that says nothing: the others waited behind it
SELECT count(*) = 0 AS pass, count(*) AS n, group_concat(coalesce(return_id, id)) AS evidence
FROM call
WHERE comm <> 'tester' AND (
  name IN ('recv', 'recvfrom', 'recvmsg', 'read', 'readv') AND conn IS NOT NULL AND (
    pending = 1 OR errno = 'EAGAIN' AND coalesce(nonblock, 0) = 0 AND coalesce(flags, '') NOT LIKE '%DONTWAIT%') OR
  (name LIKE '%poll%' OR name LIKE '%select%' OR name LIKE 'epoll%wait%') AND (
    pending = 1 OR coalesce(timeout_ms, 0) <> 0 AND ret = 0));
