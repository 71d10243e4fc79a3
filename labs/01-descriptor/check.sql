-- SPDX-License-Identifier: MIT
-- What must hold of the learner's client. lab.room: how many descriptors it might have; with fewer than 10
-- there is no room for a second one, nobody can be talked to, and the first two checks ask for nothing.

-- check: everybody who is there is talked to
-- pass: {what}
-- fail: {there} servers were there, and what {n} of them said was read to its end
WITH heard AS (
  SELECT c.id, c.event FROM conn c JOIN ledger l ON l.conn = c.id AND l.sender = 'server'
  WHERE l.written > 0 AND l.read = l.written)
SELECT room.value < 10 OR count(h.id) = (SELECT count(*) FROM call WHERE name = 'listen' AND comm = 'tester') AS pass,
       count(h.id) AS n, (SELECT count(*) FROM call WHERE name = 'listen' AND comm = 'tester') AS there,
       CASE WHEN room.value < 10 THEN 'not asked for: there was room for one descriptor'
            ELSE 'what ' || count(h.id) || ' servers said was read to its end' END AS what,
       coalesce(group_concat(h.event), (SELECT group_concat(return_id) FROM call WHERE name = 'connect')) AS evidence
FROM meta room LEFT JOIN heard h WHERE room.key = 'lab.room';

-- check: a conversation has two descriptors
-- pass: {what}
-- fail: of {n} sockets that talked only {two} ever had two descriptors
WITH talked AS (
  SELECT c.client_sid AS sid,
         (SELECT count(*) >= 2 OR max(k.references_left) >= 1 FROM call k
          WHERE k.sid = c.client_sid AND k.name IN ('close', 'close_range')) AS two,
         (SELECT group_concat(k.return_id) FROM call k
          WHERE k.sid = c.client_sid AND k.name IN ('close', 'close_range')) AS closes
  FROM conn c WHERE c.established = 1)
SELECT room.value < 10 OR count(t.sid) > 0 AND count(t.sid) = sum(t.two) AS pass,
       count(t.sid) AS n, coalesce(sum(t.two), 0) AS two,
       CASE WHEN room.value < 10 THEN 'not asked for: there was room for one descriptor'
            ELSE 'each of the ' || count(t.sid) || ' sockets that talked had two, and lost both' END AS what,
       group_concat(t.closes) AS evidence
FROM meta room LEFT JOIN talked t WHERE room.key = 'lab.room';

-- check: every close() names a number that is open
-- pass: none of its {n} calls was an error
-- fail: {why}
SELECT coalesce(sum(errno = 'EBADF'), 0) = 0 AND count(*) > 0 AS pass,
       count(*) AS n,
       iif(count(*) = 0, 'close() was never called', sum(errno IS 'EBADF') || ' of ' || count(*) ||
           ' calls returned -1, EBADF: that number was not open any more, or never') AS why,
       group_concat(CASE WHEN errno = 'EBADF' THEN return_id END) AS evidence
FROM call WHERE name IN ('close', 'close_range') AND made_by IS NULL AND comm <> 'tester';

-- check: nothing is left for the end of the process
-- pass: when the process ended, no descriptor of a socket was open
-- fail: {n} descriptors of sockets were open when the process ended: the kernel closed them
SELECT count(*) = 0 AS pass, count(*) AS n, group_concat(id) AS evidence
FROM call WHERE made_by = 'exit' AND name = 'close' AND sid IS NOT NULL AND comm <> 'tester';

-- check: every socket is destroyed
-- pass: {n} were created, {n} destroyed
-- fail: {n} were created, {gone} destroyed
SELECT count(*) > 0 AND count(*) = sum(s.destroyed) AS pass, count(*) AS n, coalesce(sum(s.destroyed), 0) AS gone,
       group_concat(CASE WHEN s.destroyed THEN NULL ELSE c.return_id END) AS evidence
FROM call c JOIN sock s ON s.sid = c.sid WHERE c.name = 'socket' AND c.comm <> 'tester';
