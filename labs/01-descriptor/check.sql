-- SPDX-License-Identifier: MIT
-- What must hold of the learner's client. lab.room: how many descriptors it might have; with fewer than 10
-- there is no room for a second one: nobody need be talked to, and nobody may be with one alone.

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
-- fail: {why}
WITH spoke AS ( -- with one byte or more, in one direction or the other
  SELECT c.client_sid AS sid, (SELECT min(k.id) FROM call k WHERE k.sid = c.client_sid AND k.len > 0) AS word
  FROM conn c JOIN meta room ON room.key = 'lab.room'
  WHERE c.established = 1 AND (room.value >= 10 OR EXISTS (
    SELECT 1 FROM ledger l WHERE l.conn = c.id AND (l.sender = 'client' AND l.written > 0 OR l.sender = 'server' AND l.read > 0)))),
talked AS (
  SELECT s.sid, s.word,
         (SELECT count(*) >= 2 OR max(k.references_left) >= 1 FROM call k
          WHERE k.sid = s.sid AND k.name IN ('close', 'close_range')) AS two,
         (SELECT group_concat(k.return_id) FROM call k
          WHERE k.sid = s.sid AND k.name IN ('close', 'close_range')) AS closes
  FROM spoke s)
SELECT iif(room.value < 10, count(t.sid) = coalesce(sum(t.two), 0), count(t.sid) > 0 AND count(t.sid) = sum(t.two)) AS pass,
       iif(room.value < 10 AND count(t.sid) = 0, 'there was room for one descriptor, and with one alone nobody was talked to',
           'each of the ' || count(t.sid) || ' sockets that talked had two, and lost both') AS what,
       iif(room.value < 10, 'there was room for one descriptor, and ' || (count(t.sid) - sum(t.two)) || ' sockets talked with it alone',
           'of ' || count(t.sid) || ' sockets that talked only ' || coalesce(sum(t.two), 0) || ' ever had two descriptors') AS why,
       group_concat(coalesce(t.word || ',', '') || t.closes) AS evidence
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
