-- SPDX-License-Identifier: MIT
-- What must hold of the learner's server. The contents of messages are no events: of the replies the tester says
-- how many were right, in the last line of the run.

-- check: every reply is right
-- pass: {said}
-- fail: {said}
WITH last AS (
  SELECT value FROM meta WHERE key GLOB 'said.*[0-9]' AND value LIKE 'tester: %'
  ORDER BY CAST(substr(key, 6) AS INTEGER) DESC LIMIT 1)
SELECT coalesce((SELECT value FROM last) = 'tester: ' || m.value || ' of ' || m.value || ' replies were right', 0) AS pass,
       coalesce((SELECT value FROM last), 'the tester waited for a reply until the run was ended') AS said,
       (SELECT max(return_id) FROM call WHERE role = 'server' AND made_by IS NULL AND len > 0) AS evidence
FROM meta m WHERE m.key = 'lab.messages';

-- check: every message is read
-- pass: the server read all {got} bytes that the client sent
-- fail: {why}
SELECT coalesce(sum(written), 0) > 0 AND sum(read) = sum(written) AS pass, coalesce(sum(read), 0) AS got,
       iif((SELECT count(*) FROM conn WHERE established = 1) = 0, 'there was no connection', 'the server read ' ||
           coalesce(sum(read), 0) || ' of the ' || coalesce(sum(written), 0) || ' bytes that the client sent') AS why,
       (SELECT max(return_id) FROM call WHERE role = 'server' AND made_by IS NULL AND
        name IN ('recv', 'recvfrom', 'recvmsg', 'read', 'readv')) AS evidence
FROM ledger WHERE sender = 'client';

-- check: no call waits when a whole message is there
-- pass: none of its calls was still waiting when the run was over
-- fail: the client had sent a whole message and waited for the reply, and the server waited for more
SELECT count(*) = 0 AS pass, group_concat(id) AS evidence
FROM call WHERE pending = 1 AND comm <> 'tester' AND pid IN (SELECT pid FROM call WHERE role = 'server') AND
               (conn IS NOT NULL OR name LIKE '%poll%' OR name LIKE '%select%' OR name LIKE 'epoll%wait%');

-- check: 0 is the end
-- pass: {what}
-- fail: recv() returned 0 {n} times: it does not mean "nothing yet"
SELECT count(*) < 3 AS pass, count(*) AS n,
       iif(count(*) = 0, 'no recv() returned 0, and none was mistaken',
           'recv() returned 0 at the end of the stream, and it was taken for that') AS what, min(return_id) || ',' || max(return_id) AS evidence
FROM call WHERE comm <> 'tester' AND role = 'server' AND eof = 1;

-- check: both directions are closed
-- pass: a FIN from each end
-- fail: {why}
SELECT count(*) > 0 AND count(*) = sum(how = 'fin') AS pass,
       iif(coalesce(sum(established), 0) = 0, 'there was no connection',
           'the conversation did not end with a FIN from each end') AS why, group_concat(event) AS evidence FROM conn;
