-- SPDX-License-Identifier: MIT
-- What must hold of the learner's client. lab.size and lab.reply are the bytes of request and reply.

-- check: the whole request is sent
-- pass: the server read all {size} bytes of it
-- fail: the server read {got} bytes, and the request has {size}
SELECT coalesce(sum(l.read), 0) = m.value AS pass, coalesce(sum(l.read), 0) AS got, m.value AS size,
       (SELECT group_concat(return_id) FROM call
        WHERE role = 'client' AND name IN ('send', 'write', 'writev', 'sendmsg') AND len > 0) AS evidence
FROM meta m LEFT JOIN ledger l ON l.sender = 'client' WHERE m.key = 'lab.size';

-- check: the server sees the end of the request
-- pass: its recv() returned 0 after {got} bytes, and so it could answer
-- fail: {why}
SELECT count(*) > 0 AS pass, iif((SELECT count(*) FROM conn WHERE established = 1) = 0, 'there was no connection',
           'its recv() never returned 0: it does not know that the request is complete, and waits') AS why,
       coalesce((SELECT sum(read) FROM ledger WHERE sender = 'client'), 0) AS got,
       coalesce(group_concat(c.return_id),
                (SELECT group_concat(id) FROM call WHERE role = 'server' AND name = 'recv' AND pending = 1))
           AS evidence
FROM call c WHERE c.role = 'server' AND c.eof = 1;

-- check: the client ends its own direction first
-- pass: its FIN left before the last byte of the reply
-- fail: {why}
SELECT coalesce(min(fin.event) < (SELECT max(event) FROM segment
                                  WHERE sender = 'server' AND arrival = 0 AND len > 0), 0) AS pass,
       iif((SELECT count(*) FROM conn WHERE established = 1) = 0, 'there was no connection',
           'before the reply was complete no FIN of the client was seen') AS why,
       group_concat(fin.event) AS evidence
FROM segment fin WHERE fin.sender = 'client' AND fin.fin = 1 AND fin.arrival = 0;

-- check: the reply is read to its last byte
-- pass: the client read all {reply} bytes
-- fail: the client read {got} of {reply} bytes
SELECT coalesce(sum(l.read), 0) = m.value AS pass, coalesce(sum(l.read), 0) AS got, m.value AS reply,
       coalesce((SELECT max(return_id) FROM call WHERE role = 'client' AND made_by IS NULL AND
                 name IN ('recv', 'read', 'recvmsg', 'readv')),
                (SELECT group_concat(event) FROM segment WHERE rst = 1)) AS evidence
FROM meta m LEFT JOIN ledger l ON l.sender = 'server' WHERE m.key = 'lab.reply';

-- check: the client sees the end of the reply
-- pass: its recv() returned 0: nothing can follow
-- fail: {why}
SELECT count(*) > 0 AS pass, iif((SELECT count(*) FROM conn WHERE established = 1) = 0, 'there was no connection',
           'none of its receive calls returned 0 behind the server''s FIN: none said that this was all') AS why,
       coalesce(group_concat(c.return_id),
                (SELECT max(coalesce(return_id, id)) FROM call WHERE role = 'client' AND made_by IS NULL))
           AS evidence
FROM call c
WHERE c.role = 'client' AND c.eof = 1
  AND EXISTS (SELECT 1 FROM segment s WHERE s.sender = 'server' AND s.fin = 1 AND s.event < c.return_id);

-- check: nobody sends an RST
-- pass: not one in this conversation
-- fail: {why}
SELECT count(*) = 0 AND (SELECT count(*) FROM conn WHERE established = 1) > 0 AS pass,
       iif((SELECT count(*) FROM conn WHERE established = 1) = 0, 'there was no connection',
           count(*) || ' of them: somebody was sent bytes and would not take them') AS why,
       group_concat(event) AS evidence
FROM segment WHERE rst = 1 AND paired = 0;

-- check: both directions are closed
-- pass: a FIN from each end
-- fail: {why}
SELECT count(*) > 0 AND count(*) = sum(how = 'fin') AS pass,
       iif(coalesce(sum(established), 0) = 0, 'there was no connection',
           'the conversation did not end with a FIN from each end') AS why, group_concat(event) AS evidence FROM conn;
