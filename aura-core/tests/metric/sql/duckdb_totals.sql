WITH periods AS (
  SELECT 0 AS position, TIMESTAMPTZ '2026-03-27 00:00:00.000000+00:00' AS starts, TIMESTAMPTZ '2026-03-28 00:00:00.000000+00:00' AS ends, '' AS label, 0 AS asked, CAST(NULL AS INT) AS compared, TIMESTAMPTZ '2026-03-21 00:00:00.000000+00:00' AS w1
  UNION ALL SELECT 1 AS position, TIMESTAMPTZ '2026-03-28 00:00:00.000000+00:00' AS starts, TIMESTAMPTZ '2026-03-29 00:00:00.000000+00:00' AS ends, '2026-03-28' AS label, 1 AS asked, 0 AS compared, TIMESTAMPTZ '2026-03-22 00:00:00.000000+00:00' AS w1
)
, scan1_ranked AS (
  SELECT p.position, e."team" AS d0, COUNT(DISTINCT e."user id") AS a0
  FROM periods AS p
  JOIN "my schema"."events" AS e ON e."time" >= p.w1 AND e."time" < p.ends
  WHERE ((e."team" LIKE 'a\_%' ESCAPE '\') AND (e."time" >= (TIMESTAMPTZ '2026-03-28 00:00:00.000000+00:00' - INTERVAL '7 day')))
  GROUP BY p.position, e."team"
)
, combinations_ranked AS (
  SELECT DISTINCT d0 FROM scan1_ranked
)
, cells_ranked AS (
  SELECT p.*, g.d0, COALESCE(scan1_ranked.a0, 0) AS a0
  FROM periods AS p
  CROSS JOIN combinations_ranked AS g
  LEFT JOIN scan1_ranked ON scan1_ranked.position = p.position AND scan1_ranked.d0 IS NOT DISTINCT FROM g.d0
)
, metric0_ranked AS (
  SELECT c.*, c.a0 AS m0, CASE WHEN c.a0 <> 0 THEN 1 ELSE 0 END AS there0
  FROM cells_ranked AS c
)
, kept AS (
  SELECT d0, 1 AS kept
  FROM metric0_ranked
  WHERE asked = 1
  GROUP BY d0
  ORDER BY COALESCE(SUM(m0), 0) DESC, d0 ASC NULLS LAST
  LIMIT 3
)
, scan0 AS (
  SELECT p.position, e."the ""plan""" AS d0, CASE WHEN k.kept = 1 THEN CAST(e."team" AS VARCHAR) ELSE 'the ''others''' END AS d1, COUNT(DISTINCT CASE WHEN ((e."event" = 'it''s \ bought') AND (NOT COALESCE(e."Wei""rd", FALSE))) THEN e."user id" END) AS a0, COUNT(DISTINCT e."user id") AS a1
  FROM periods AS p
  JOIN "my schema"."events" AS e ON e."time" >= p.starts AND e."time" < p.ends
  LEFT JOIN kept AS k ON k.d0 IS NOT DISTINCT FROM e."team"
  WHERE ((e."team" LIKE 'a\_%' ESCAPE '\') AND (e."time" >= (TIMESTAMPTZ '2026-03-28 00:00:00.000000+00:00' - INTERVAL '7 day')))
  GROUP BY p.position, e."the ""plan""", CASE WHEN k.kept = 1 THEN CAST(e."team" AS VARCHAR) ELSE 'the ''others''' END
)
, base0 AS (
  SELECT DISTINCT p.position, e."the ""plan""" AS d0, CASE WHEN k.kept = 1 THEN CAST(e."team" AS VARCHAR) ELSE 'the ''others''' END AS d1, e."user id" AS who, e."team" AS k0, e."time" AS moment, CASE WHEN (e."event" = 'buy') THEN 1 ELSE 0 END AS own
  FROM periods AS p
  JOIN "my schema"."events" AS e ON e."time" >= p.starts AND e."time" < p.ends
  LEFT JOIN kept AS k ON k.d0 IS NOT DISTINCT FROM e."team"
  WHERE (e."event" = 'view') AND e."user id" IS NOT NULL AND ((e."team" LIKE 'a\_%' ESCAPE '\') AND (e."time" >= (TIMESTAMPTZ '2026-03-28 00:00:00.000000+00:00' - INTERVAL '7 day')))
)
, target0 AS (
  SELECT e."user id" AS who, e."team" AS k0, e."time" AS moment, COUNT(*) AS n
  FROM "my schema"."events" AS e
  WHERE (e."event" = 'buy') AND e."user id" IS NOT NULL AND ((e."team" LIKE 'a\_%' ESCAPE '\') AND (e."time" >= (TIMESTAMPTZ '2026-03-28 00:00:00.000000+00:00' - INTERVAL '7 day')))
  GROUP BY e."user id", e."team", e."time"
)
, hit0 AS (
  SELECT b.position, b.d0, b.d1, b.who
  FROM base0 AS b
  JOIN target0 AS c ON c.who = b.who AND c.k0 = b.k0 AND c.moment >= b.moment AND c.moment <= (((b.moment AT TIME ZONE 'UTC') + INTERVAL '2 DAY') AT TIME ZONE 'UTC')
  GROUP BY b.position, b.d0, b.d1, b.who, b.k0, b.moment, b.own
  HAVING SUM(c.n) > b.own
)
, pass0 AS (
  SELECT b.position, b.d0, b.d1, COUNT(DISTINCT b.who) AS n, COUNT(DISTINCT h.who) AS v
  FROM base0 AS b
  LEFT JOIN hit0 AS h ON h.position = b.position AND h.d0 IS NOT DISTINCT FROM b.d0 AND h.d1 IS NOT DISTINCT FROM b.d1 AND h.who = b.who
  GROUP BY b.position, b.d0, b.d1
)
, combinations AS (
  SELECT d0, d1 FROM scan0
  UNION SELECT d0, d1 FROM pass0
)
, cells AS (
  SELECT p.*, g.d0, g.d1, COALESCE(scan0.a0, 0) AS a0, COALESCE(scan0.a1, 0) AS a1, COALESCE(pass0.v, 0) AS v0, COALESCE(pass0.n, 0) AS n0
  FROM periods AS p
  CROSS JOIN combinations AS g
  LEFT JOIN scan0 ON scan0.position = p.position AND scan0.d0 IS NOT DISTINCT FROM g.d0 AND scan0.d1 IS NOT DISTINCT FROM g.d1
  LEFT JOIN pass0 ON pass0.position = p.position AND pass0.d0 IS NOT DISTINCT FROM g.d0 AND pass0.d1 IS NOT DISTINCT FROM g.d1
)
, metric0 AS (
  SELECT c.*, c.a0 AS m0, CASE WHEN c.a0 <> 0 THEN 1 ELSE 0 END AS there0
  FROM cells AS c
)
, metric1 AS (
  SELECT c.*, c.a1 AS m1, CASE WHEN c.a1 <> 0 THEN 1 ELSE 0 END AS there1
  FROM metric0 AS c
)
, metric2 AS (
  SELECT c.*, (CAST(c.m0 AS DOUBLE) / NULLIF(CAST(c.m1 AS DOUBLE), 0)) AS m2, c.m1 AS below2, CASE WHEN (c.there0 = 1 OR c.there1 = 1) THEN 1 ELSE 0 END AS there2
  FROM metric1 AS c
)
, metric3 AS (
  SELECT c.*, CASE WHEN c.n0 > 0 THEN (CAST(c.v0 AS DOUBLE) / NULLIF(CAST(c.n0 AS DOUBLE), 0)) END AS m3, c.n0 AS below3, CASE WHEN c.n0 > 0 THEN 1 ELSE 0 END AS there3
  FROM metric2 AS c
)
, scan0_total AS (
  SELECT p.position, COUNT(DISTINCT CASE WHEN ((e."event" = 'it''s \ bought') AND (NOT COALESCE(e."Wei""rd", FALSE))) THEN e."user id" END) AS a0, COUNT(DISTINCT e."user id") AS a1
  FROM periods AS p
  JOIN "my schema"."events" AS e ON e."time" >= p.starts AND e."time" < p.ends
  WHERE ((e."team" LIKE 'a\_%' ESCAPE '\') AND (e."time" >= (TIMESTAMPTZ '2026-03-28 00:00:00.000000+00:00' - INTERVAL '7 day')))
  GROUP BY p.position
)
, base0_total AS (
  SELECT DISTINCT p.position, e."user id" AS who, e."team" AS k0, e."time" AS moment, CASE WHEN (e."event" = 'buy') THEN 1 ELSE 0 END AS own
  FROM periods AS p
  JOIN "my schema"."events" AS e ON e."time" >= p.starts AND e."time" < p.ends
  WHERE (e."event" = 'view') AND e."user id" IS NOT NULL AND ((e."team" LIKE 'a\_%' ESCAPE '\') AND (e."time" >= (TIMESTAMPTZ '2026-03-28 00:00:00.000000+00:00' - INTERVAL '7 day')))
)
, target0_total AS (
  SELECT e."user id" AS who, e."team" AS k0, e."time" AS moment, COUNT(*) AS n
  FROM "my schema"."events" AS e
  WHERE (e."event" = 'buy') AND e."user id" IS NOT NULL AND ((e."team" LIKE 'a\_%' ESCAPE '\') AND (e."time" >= (TIMESTAMPTZ '2026-03-28 00:00:00.000000+00:00' - INTERVAL '7 day')))
  GROUP BY e."user id", e."team", e."time"
)
, hit0_total AS (
  SELECT b.position, b.who
  FROM base0_total AS b
  JOIN target0_total AS c ON c.who = b.who AND c.k0 = b.k0 AND c.moment >= b.moment AND c.moment <= (((b.moment AT TIME ZONE 'UTC') + INTERVAL '2 DAY') AT TIME ZONE 'UTC')
  GROUP BY b.position, b.who, b.k0, b.moment, b.own
  HAVING SUM(c.n) > b.own
)
, pass0_total AS (
  SELECT b.position, COUNT(DISTINCT b.who) AS n, COUNT(DISTINCT h.who) AS v
  FROM base0_total AS b
  LEFT JOIN hit0_total AS h ON h.position = b.position AND h.who = b.who
  GROUP BY b.position
)
, cells_total AS (
  SELECT p.*, COALESCE(scan0_total.a0, 0) AS a0, COALESCE(scan0_total.a1, 0) AS a1, COALESCE(pass0_total.v, 0) AS v0, COALESCE(pass0_total.n, 0) AS n0
  FROM periods AS p
  LEFT JOIN scan0_total ON scan0_total.position = p.position
  LEFT JOIN pass0_total ON pass0_total.position = p.position
)
, metric0_total AS (
  SELECT c.*, c.a0 AS m0, CASE WHEN c.a0 <> 0 THEN 1 ELSE 0 END AS there0
  FROM cells_total AS c
)
, metric1_total AS (
  SELECT c.*, c.a1 AS m1, CASE WHEN c.a1 <> 0 THEN 1 ELSE 0 END AS there1
  FROM metric0_total AS c
)
, metric2_total AS (
  SELECT c.*, (CAST(c.m0 AS DOUBLE) / NULLIF(CAST(c.m1 AS DOUBLE), 0)) AS m2, c.m1 AS below2, CASE WHEN (c.there0 = 1 OR c.there1 = 1) THEN 1 ELSE 0 END AS there2
  FROM metric1_total AS c
)
, metric3_total AS (
  SELECT c.*, CASE WHEN c.n0 > 0 THEN (CAST(c.v0 AS DOUBLE) / NULLIF(CAST(c.n0 AS DOUBLE), 0)) END AS m3, c.n0 AS below3, CASE WHEN c.n0 > 0 THEN 1 ELSE 0 END AS there3
  FROM metric2_total AS c
)
SELECT *
FROM (
SELECT c.starts AS period,
  c.label AS period_label,
  c.d0 AS "the ""plan""",
  c.d1 AS "team",
  FALSE AS is_total,
  q.starts AS compare_period,
  c.m2 AS "buy_rate",
  c.below2 AS "buy_rate_n",
  q.m2 AS "buy_rate_compare",
  (c.m2 - q.m2) AS "buy_rate_change",
  (100 * CAST((c.m2 - q.m2) AS DOUBLE) / NULLIF(ABS(CAST(q.m2 AS DOUBLE)), 0)) AS "buy_rate_change_pct",
  c.m3 AS "bought",
  c.below3 AS "bought_n",
  q.m3 AS "bought_compare",
  (c.m3 - q.m3) AS "bought_change",
  (100 * CAST((c.m3 - q.m3) AS DOUBLE) / NULLIF(ABS(CAST(q.m3 AS DOUBLE)), 0)) AS "bought_change_pct",
  COALESCE(c.ends <= (SELECT MAX(e."time") FROM "my schema"."events" AS e), FALSE) AS complete
FROM metric3 AS c
LEFT JOIN metric3 AS q ON q.position = c.compared AND q.d0 IS NOT DISTINCT FROM c.d0 AND q.d1 IS NOT DISTINCT FROM c.d1
WHERE c.asked = 1
UNION ALL
SELECT c.starts AS period,
  c.label AS period_label,
  NULL AS "the ""plan""",
  NULL AS "team",
  TRUE AS is_total,
  q.starts AS compare_period,
  c.m2 AS "buy_rate",
  c.below2 AS "buy_rate_n",
  q.m2 AS "buy_rate_compare",
  (c.m2 - q.m2) AS "buy_rate_change",
  (100 * CAST((c.m2 - q.m2) AS DOUBLE) / NULLIF(ABS(CAST(q.m2 AS DOUBLE)), 0)) AS "buy_rate_change_pct",
  c.m3 AS "bought",
  c.below3 AS "bought_n",
  q.m3 AS "bought_compare",
  (c.m3 - q.m3) AS "bought_change",
  (100 * CAST((c.m3 - q.m3) AS DOUBLE) / NULLIF(ABS(CAST(q.m3 AS DOUBLE)), 0)) AS "bought_change_pct",
  COALESCE(c.ends <= (SELECT MAX(e."time") FROM "my schema"."events" AS e), FALSE) AS complete
FROM metric3_total AS c
LEFT JOIN metric3_total AS q ON q.position = c.compared
WHERE c.asked = 1
) AS answer
ORDER BY "buy_rate" DESC NULLS LAST, period, is_total, "the ""plan""" NULLS LAST, "team" NULLS LAST
