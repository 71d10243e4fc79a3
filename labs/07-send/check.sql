-- SPDX-License-Identifier: MIT
-- What must hold of the learner's client. lab.fails: how many of its uploads the server does not confirm. If
-- that is 0 there is one upload, and the server confirms it. A printed line is about the latest conversation.

-- check: DONE only when the server's program has the bytes
-- pass: {said}
-- fail: DONE was printed, and the program of the server had read {got} of {size} bytes
SELECT count(d.t) = 0 OR coalesce(min(l.read = l.written AND r.t_ns < d.t), 0) AS pass,
       iif(count(d.t) > 0, 'DONE was printed after the last recv() of the server', 'no DONE was printed') AS said,
       coalesce(sum(l.read), 0) AS got, coalesce(sum(l.written), 0) AS size,
       coalesce((SELECT group_concat(max_id) FROM (SELECT max(return_id) AS max_id FROM call WHERE role = 'client' AND
                 name IN ('send', 'write', 'writev', 'sendmsg') AND len > 0 GROUP BY conn)) || ',', '') ||
       coalesce(group_concat(r.return_id), (SELECT group_concat(event) FROM conn)) AS evidence
FROM (SELECT t.value AS t, (SELECT max(id) FROM conn WHERE t_first_ns < t.value) AS conn
      FROM meta s JOIN meta t ON t.key = s.key || '.t_ns' WHERE s.key LIKE 'said.%' AND s.value = 'DONE') d
     LEFT JOIN ledger l ON l.conn = d.conn AND l.sender = 'client'
     LEFT JOIN call r ON r.return_id = (SELECT max(return_id) FROM call WHERE conn = d.conn AND role = 'server' AND
                                        name = 'recv' AND len > 0);

-- check: DONE only on the word of the server
-- pass: {said}
-- fail: DONE was printed, and the server {did}
SELECT count(d.t) = 0 OR coalesce(min(fails.value = 0 AND l.read > 0 AND r.t_ns < d.t), 0) AS pass,
       iif(count(d.t) > 0, 'DONE was printed after the answer: all bytes are there', 'no DONE was printed') AS said,
       iif(coalesce(min(l.written), 0) = 0, 'had not answered',
           iif(fails.value > 0, 'had answered that it has only some of the bytes',
               'had answered, but had not been listened to')) AS did,
       coalesce(group_concat(r.return_id) || ',', '') || coalesce(group_concat(c.event), '') AS evidence
FROM meta fails
     LEFT JOIN (SELECT t.value AS t, (SELECT max(id) FROM conn WHERE t_first_ns < t.value) AS conn FROM meta s
                JOIN meta t ON t.key = s.key || '.t_ns' WHERE s.key LIKE 'said.%' AND s.value = 'DONE') d
     LEFT JOIN ledger l ON l.conn = d.conn AND l.sender = 'server'
     LEFT JOIN conn c ON c.id = d.conn
     LEFT JOIN call r ON r.return_id = (SELECT max(return_id) FROM call WHERE conn = d.conn AND role = 'client' AND
                                        made_by IS NULL AND len > 0 AND name IN ('recv', 'read', 'recvmsg', 'readv'))
WHERE fails.key = 'lab.fails';

-- check: FAILED exactly when that word does not come
-- pass: {expected} of the server's answers did not come; printed: {n} FAILED, {done} DONE
-- fail: {expected} of the server's answers did not come; printed: {n} FAILED, {done} DONE
SELECT coalesce(sum(s.value = 'FAILED'), 0) = fails.value AND
       coalesce(sum(s.value = 'DONE'), 0) = (fails.value = 0) AS pass,
       fails.value AS expected, coalesce(sum(s.value = 'FAILED'), 0) AS n, coalesce(sum(s.value = 'DONE'), 0) AS done,
       coalesce((SELECT group_concat(id) FROM call WHERE pending = 1),
                (SELECT group_concat(last) FROM (SELECT max(coalesce(return_id, id)) AS last FROM call
                 WHERE role = 'client' AND made_by IS NULL GROUP BY conn))) AS evidence
FROM meta fails LEFT JOIN meta s ON s.key LIKE 'said.%' WHERE fails.key = 'lab.fails';

-- check: FAILED in time
-- pass: {said}
-- fail: FAILED came {ms} ms after its conversation began, and MS was {deadline}
WITH slowest AS (
  SELECT c.id AS conn, (t.value - c.t_first_ns) / 1000000 AS ms
  FROM meta s JOIN meta t ON t.key = s.key || '.t_ns'
       JOIN conn c ON c.id = (SELECT max(id) FROM conn WHERE t_first_ns < t.value)
  WHERE s.key LIKE 'said.%' AND s.value = 'FAILED' ORDER BY ms DESC LIMIT 1)
SELECT coalesce(f.ms <= 2 * m.value + 500, 1) AS pass, f.ms, m.value AS deadline,
       coalesce('FAILED came ' || f.ms || ' ms after its conversation began; MS was ' || m.value,
                'no FAILED was printed') AS said,
       (SELECT min(return_id) || ',' || max(coalesce(return_id, id)) FROM call WHERE conn = f.conn AND role = 'client' AND
        made_by IS NULL) AS evidence
FROM meta m LEFT JOIN slowest f WHERE m.key = 'lab.deadline';
