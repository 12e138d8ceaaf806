WITH periods AS (
  SELECT 0 AS position, TIMESTAMP '2026-03-19 23:00:00.000000+00:00' AS starts, TIMESTAMP '2026-03-20 23:00:00.000000+00:00' AS ends, '' AS label, 0 AS asked, CAST(NULL AS INT) AS compared, TIMESTAMP '2026-03-13 23:00:00.000000+00:00' AS w1, CAST(NULL AS INT) AS o0
  UNION ALL SELECT 1 AS position, TIMESTAMP '2026-03-20 23:00:00.000000+00:00' AS starts, TIMESTAMP '2026-03-21 23:00:00.000000+00:00' AS ends, '' AS label, 0 AS asked, CAST(NULL AS INT) AS compared, TIMESTAMP '2026-03-14 23:00:00.000000+00:00' AS w1, CAST(NULL AS INT) AS o0
  UNION ALL SELECT 2 AS position, TIMESTAMP '2026-03-21 23:00:00.000000+00:00' AS starts, TIMESTAMP '2026-03-22 23:00:00.000000+00:00' AS ends, '' AS label, 0 AS asked, CAST(NULL AS INT) AS compared, TIMESTAMP '2026-03-15 23:00:00.000000+00:00' AS w1, CAST(NULL AS INT) AS o0
  UNION ALL SELECT 3 AS position, TIMESTAMP '2026-03-26 23:00:00.000000+00:00' AS starts, TIMESTAMP '2026-03-27 23:00:00.000000+00:00' AS ends, '' AS label, 0 AS asked, CAST(NULL AS INT) AS compared, TIMESTAMP '2026-03-20 23:00:00.000000+00:00' AS w1, 0 AS o0
  UNION ALL SELECT 4 AS position, TIMESTAMP '2026-03-27 23:00:00.000000+00:00' AS starts, TIMESTAMP '2026-03-28 23:00:00.000000+00:00' AS ends, '2026-03-28' AS label, 1 AS asked, 3 AS compared, TIMESTAMP '2026-03-21 23:00:00.000000+00:00' AS w1, 1 AS o0
  UNION ALL SELECT 5 AS position, TIMESTAMP '2026-03-28 23:00:00.000000+00:00' AS starts, TIMESTAMP '2026-03-29 22:00:00.000000+00:00' AS ends, '2026-03-29' AS label, 1 AS asked, 4 AS compared, TIMESTAMP '2026-03-22 23:00:00.000000+00:00' AS w1, 2 AS o0
)
, scan0 AS (
  SELECT p.position, e.`team` AS d0, e.`the "plan"` AS d1, COUNT(DISTINCT CASE WHEN ((e.`event` = 'it\'s \\ bought') AND (NOT COALESCE(e.`Wei"rd`, FALSE))) THEN e.`user id` END) AS a0, COUNT(DISTINCT e.`user id`) AS a1, COUNT(DISTINCT CASE WHEN e.`user id` IS NOT NULL AND e.`team` IS NOT NULL THEN STRUCT(e.`user id`, e.`team`) END) AS a2, COUNT(CASE WHEN ((EXTRACT(HOUR FROM FROM_UTC_TIMESTAMP(e.`time`, 'Europe/Berlin')) >= 18) AND STARTSWITH(e.`team`, 'a')) THEN 1 END) AS a4
  FROM periods AS p
  JOIN `my schema`.`events` AS e ON e.`time` >= p.starts AND e.`time` < p.ends
  WHERE ((e.`amount` > CAST(0.5 AS DOUBLE)) OR (e.`amount` IS NULL))
  GROUP BY p.position, e.`team`, e.`the "plan"`
)
, scan1 AS (
  SELECT p.position, e.`team` AS d0, e.`the "plan"` AS d1, COUNT(DISTINCT e.`user id`) AS a3
  FROM periods AS p
  JOIN `my schema`.`events` AS e ON e.`time` >= p.w1 AND e.`time` < p.ends
  WHERE ((e.`amount` > CAST(0.5 AS DOUBLE)) OR (e.`amount` IS NULL))
  GROUP BY p.position, e.`team`, e.`the "plan"`
)
, base0 AS (
  SELECT DISTINCT p.position, e.`team` AS d0, e.`the "plan"` AS d1, e.`user id` AS who, e.`team` AS k0, e.`time` AS moment, CASE WHEN (e.`event` = 'buy') THEN 1 ELSE 0 END AS own
  FROM periods AS p
  JOIN `my schema`.`events` AS e ON e.`time` >= p.starts AND e.`time` < p.ends
  WHERE (e.`event` = 'view') AND e.`user id` IS NOT NULL AND ((e.`amount` > CAST(0.5 AS DOUBLE)) OR (e.`amount` IS NULL))
)
, target0 AS (
  SELECT e.`user id` AS who, e.`team` AS k0, e.`time` AS moment, COUNT(*) AS n
  FROM `my schema`.`events` AS e
  WHERE (e.`event` = 'buy') AND e.`user id` IS NOT NULL AND ((e.`amount` > CAST(0.5 AS DOUBLE)) OR (e.`amount` IS NULL))
  GROUP BY e.`user id`, e.`team`, e.`time`
)
, hit0 AS (
  SELECT b.position, b.d0, b.d1, b.who
  FROM base0 AS b
  JOIN target0 AS c ON c.who = b.who AND c.k0 = b.k0 AND c.moment >= b.moment AND c.moment <= TO_UTC_TIMESTAMP(TIMESTAMPADD(DAY, 2, FROM_UTC_TIMESTAMP(b.moment, 'Europe/Berlin')), 'Europe/Berlin')
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
  UNION SELECT d0, d1 FROM scan1
  UNION SELECT d0, d1 FROM pass0
)
, cells AS (
  SELECT p.*, g.d0, g.d1, COALESCE(scan0.a0, 0) AS a0, COALESCE(scan0.a1, 0) AS a1, COALESCE(scan0.a2, 0) AS a2, COALESCE(scan1.a3, 0) AS a3, COALESCE(scan0.a4, 0) AS a4, COALESCE(pass0.v, 0) AS v0, COALESCE(pass0.n, 0) AS n0
  FROM periods AS p
  CROSS JOIN combinations AS g
  LEFT JOIN scan0 ON scan0.position = p.position AND scan0.d0 IS NOT DISTINCT FROM g.d0 AND scan0.d1 IS NOT DISTINCT FROM g.d1
  LEFT JOIN scan1 ON scan1.position = p.position AND scan1.d0 IS NOT DISTINCT FROM g.d0 AND scan1.d1 IS NOT DISTINCT FROM g.d1
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
  SELECT c.*, c.a2 AS m3, CASE WHEN c.a2 <> 0 THEN 1 ELSE 0 END AS there3
  FROM metric2 AS c
)
, metric4 AS (
  SELECT c.*, (c.m1 - b0.m1) AS m4, CASE WHEN (c.there1 = 1 OR b0.there1 = 1) THEN 1 ELSE 0 END AS there4
  FROM metric3 AS c
  LEFT JOIN metric3 AS b0 ON b0.position = c.o0 AND b0.d0 IS NOT DISTINCT FROM c.d0 AND b0.d1 IS NOT DISTINCT FROM c.d1
)
, metric5 AS (
  SELECT c.*, c.a3 AS m5, CASE WHEN c.a3 <> 0 THEN 1 ELSE 0 END AS there5
  FROM metric4 AS c
)
, metric6 AS (
  SELECT c.*, c.a4 AS m6, CASE WHEN c.a4 <> 0 THEN 1 ELSE 0 END AS there6
  FROM metric5 AS c
)
, metric7 AS (
  SELECT c.*, CASE WHEN c.n0 > 0 THEN (CAST(c.v0 AS DOUBLE) / NULLIF(CAST(c.n0 AS DOUBLE), 0)) END AS m7, c.n0 AS below7, CASE WHEN c.n0 > 0 THEN 1 ELSE 0 END AS there7
  FROM metric6 AS c
)
SELECT c.starts AS period,
  c.label AS period_label,
  c.d0 AS `team`,
  c.d1 AS `the "plan"`,
  q.starts AS compare_period,
  c.m2 AS `buy_rate`,
  c.below2 AS `buy_rate_n`,
  q.m2 AS `buy_rate_compare`,
  (c.m2 - q.m2) AS `buy_rate_change`,
  (100 * CAST((c.m2 - q.m2) AS DOUBLE) / NULLIF(ABS(CAST(q.m2 AS DOUBLE)), 0)) AS `buy_rate_change_pct`,
  c.m3 AS `pairs`,
  q.m3 AS `pairs_compare`,
  (c.m3 - q.m3) AS `pairs_change`,
  (100 * CAST((c.m3 - q.m3) AS DOUBLE) / NULLIF(ABS(CAST(q.m3 AS DOUBLE)), 0)) AS `pairs_change_pct`,
  c.m4 AS `growth`,
  q.m4 AS `growth_compare`,
  (c.m4 - q.m4) AS `growth_change`,
  (100 * CAST((c.m4 - q.m4) AS DOUBLE) / NULLIF(ABS(CAST(q.m4 AS DOUBLE)), 0)) AS `growth_change_pct`,
  c.m5 AS `weekly`,
  q.m5 AS `weekly_compare`,
  (c.m5 - q.m5) AS `weekly_change`,
  (100 * CAST((c.m5 - q.m5) AS DOUBLE) / NULLIF(ABS(CAST(q.m5 AS DOUBLE)), 0)) AS `weekly_change_pct`,
  c.m6 AS `evenings`,
  q.m6 AS `evenings_compare`,
  (c.m6 - q.m6) AS `evenings_change`,
  (100 * CAST((c.m6 - q.m6) AS DOUBLE) / NULLIF(ABS(CAST(q.m6 AS DOUBLE)), 0)) AS `evenings_change_pct`,
  c.m7 AS `bought`,
  c.below7 AS `bought_n`,
  q.m7 AS `bought_compare`,
  (c.m7 - q.m7) AS `bought_change`,
  (100 * CAST((c.m7 - q.m7) AS DOUBLE) / NULLIF(ABS(CAST(q.m7 AS DOUBLE)), 0)) AS `bought_change_pct`,
  COALESCE(c.ends <= (SELECT MAX(e.`time`) FROM `my schema`.`events` AS e), FALSE) AS complete
FROM metric7 AS c
LEFT JOIN metric7 AS q ON q.position = c.compared AND q.d0 IS NOT DISTINCT FROM c.d0 AND q.d1 IS NOT DISTINCT FROM c.d1
WHERE c.asked = 1
ORDER BY `growth` DESC NULLS LAST, period, `team` NULLS LAST, `the "plan"` NULLS LAST
LIMIT 100
