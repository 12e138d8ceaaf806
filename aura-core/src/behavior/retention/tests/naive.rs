//! Retention straight from the definition: every actor, every cohort, every cell, every event.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::behavior::retention::*;
use crate::behavior::testing::{DAY, Group, Row, compare, group, groups, row, with_group};
use crate::behavior::{EventFilter, retention::survival::survival};
use crate::calendar::{Grain, Period, PreparedCalendar};

type Rows = Vec<BTreeMap<String, Value>>;

fn holds(filter: &EventFilter, row: &Row) -> bool {
    let named = filter.events.is_empty() || filter.events.iter().any(|e| e == row.event);
    let met = match filter.condition.as_deref() {
        None => true,
        Some("amount > 5") => row.amount.is_some_and(|a| a > 5.0),
        Some("plan = 'pro'") => row.plan == Some("pro"),
        other => panic!("{other:?}"),
    };
    named && met
}

struct Question<'a> {
    spec: &'a Retention,
    calendar: PreparedCalendar,
    rows: Vec<&'a Row>,
    cohorts: Vec<Period>,
    as_of: i64,
    cells: Vec<(u32, u32)>,
}

struct Entry {
    cohort: usize,
    start: i64,
    group: Group,
    /// The windows of all returns.
    windows: BTreeSet<i64>,
    /// Window and value of all returns.
    values: Vec<(i64, f64)>,
}

impl<'a> Question<'a> {
    fn new(all: &'a [Row], spec: &'a Retention) -> Option<Self> {
        let calendar = spec.calendar().prepare().unwrap();
        let moment = |text: &Option<String>| text.as_ref().map(|t| calendar.instant(t).unwrap());
        let as_of = moment(&spec.as_of).or(all.iter().map(|r| r.time).max())?;
        let from = moment(&spec.from).or(all.iter().map(|r| r.time).min())?;
        let to = moment(&spec.to).unwrap_or(as_of + 1).min(as_of + 1);
        if from >= to {
            return None;
        }
        let grain = spec.cohort_period.unwrap_or(spec.period);
        let cohorts = calendar.periods(grain, from, to).unwrap();
        let rows = all
            .iter()
            .filter(|r| r.time <= as_of && (spec.filter.is_none() || r.event != "quit"))
            .collect();
        let cells = match (&spec.brackets[..], spec.horizon) {
            ([], Some(horizon)) => (0..=horizon).map(|k| (k, k)).collect(),
            ([], None) => (0..100).map(|k| (k, k)).collect(),
            (bounds, _) => bounds.windows(2).map(|b| (b[0], b[1] - 1)).collect(),
        };
        Some(Question {
            spec,
            calendar,
            rows,
            cohorts,
            as_of,
            cells,
        })
    }

    fn length(&self) -> i64 {
        match self.spec.period {
            Grain::Week => 7 * DAY,
            _ => DAY,
        }
    }

    fn rolling(&self) -> bool {
        self.spec.window == RetentionWindow::Rolling
    }

    fn period(&self, us: i64) -> Period {
        self.calendar.period_of(self.spec.period, us).unwrap()
    }

    fn window(&self, start: i64, time: i64) -> i64 {
        if self.rolling() {
            return (time - start).div_euclid(self.length());
        }
        let (a, b) = (self.period(start), self.period(time));
        self.calendar.between(&a, &b).unwrap()
    }

    /// First moment and end of a window.
    fn bounds(&self, start: i64, window: i64) -> (i64, i64) {
        if self.rolling() {
            let begin = start + window * self.length();
            return (begin, begin + self.length());
        }
        let period = self.calendar.offset(&self.period(start), window).unwrap();
        (period.start_us(), period.end_us())
    }

    fn entries(&self) -> Vec<Entry> {
        let returning = self.spec.returning.as_ref().unwrap_or(&self.spec.start);
        let actors: BTreeSet<&str> = self.rows.iter().map(|r| r.actor).collect();
        let mut entries = Vec::new();
        for actor in actors {
            let own: Vec<&Row> = self
                .rows
                .iter()
                .filter(|r| r.actor == actor)
                .copied()
                .collect();
            let starts: Vec<&Row> = own
                .iter()
                .filter(|r| holds(&self.spec.start, r))
                .copied()
                .collect();
            let range = (
                self.cohorts[0].start_us(),
                self.cohorts[self.cohorts.len() - 1].end_us(),
            );
            let inside = |us: i64| range.0 <= us && us < range.1;
            let first = |starts: &mut dyn Iterator<Item = &&Row>| starts.map(|r| r.time).min();
            let moments: Vec<i64> = match self.spec.cohort {
                Cohort::FirstEver => first(&mut starts.iter())
                    .filter(|t| inside(*t))
                    .into_iter()
                    .collect(),
                Cohort::FirstInRange => first(&mut starts.iter().filter(|r| inside(r.time)))
                    .into_iter()
                    .collect(),
                Cohort::Recurring => self
                    .cohorts
                    .iter()
                    .filter_map(|c| first(&mut starts.iter().filter(|r| c.contains(r.time))))
                    .collect(),
            };
            for start in moments {
                let mut ties: Vec<Group> = starts
                    .iter()
                    .filter(|r| r.time == start)
                    .map(|r| group(r, &self.spec.by))
                    .collect();
                ties.sort_by(compare);
                let later = self.spec.mode == RetentionMode::OnOrBefore;
                let returns: Vec<&&Row> = own
                    .iter()
                    .filter(|r| {
                        holds(returning, r) && (r.time > start || (!later && r.time == start))
                    })
                    .collect();
                entries.push(Entry {
                    cohort: self.cohorts.iter().position(|c| c.contains(start)).unwrap(),
                    start,
                    group: ties.remove(0),
                    windows: returns.iter().map(|r| self.window(start, r.time)).collect(),
                    values: returns
                        .iter()
                        .filter_map(|r| Some((self.window(start, r.time), r.amount?)))
                        .collect(),
                });
            }
        }
        entries
    }

    fn retained(&self, entry: &Entry, cell: usize) -> bool {
        let (first, last) = self.cells[cell];
        let (first, last) = (i64::from(first), i64::from(last));
        let any = |from: i64, to: i64| entry.windows.iter().any(|w| from <= *w && *w <= to);
        match self.spec.mode {
            RetentionMode::On => any(first, last),
            RetentionMode::OnOrAfter => any(first, i64::MAX),
            RetentionMode::OnOrBefore => any(0, last),
            RetentionMode::Streak => self.cells[..=cell]
                .iter()
                .all(|(first, last)| *first == 0 || any(i64::from(*first), i64::from(*last))),
        }
    }

    fn ended(&self, start: i64, cell: usize) -> bool {
        self.bounds(start, i64::from(self.cells[cell].1)).1 <= self.as_of
    }

    fn begun(&self, cohort: &Period, cell: usize) -> bool {
        self.bounds(cohort.start_us(), i64::from(self.cells[cell].0))
            .0
            <= self.as_of
    }

    fn groups(&self, entries: &[Entry]) -> Vec<Group> {
        let all = groups(self.rows.iter().copied(), &self.spec.by);
        all.into_iter()
            .filter(|g| entries.iter().any(|e| e.group == *g))
            .collect()
    }
}

fn ratio(a: usize, b: usize) -> Option<f64> {
    (b > 0).then(|| a as f64 / b as f64)
}

pub(super) fn cells(all: &[Row], spec: &Retention) -> Rows {
    let Some(question) = Question::new(all, spec) else {
        return Vec::new();
    };
    let entries = question.entries();
    let mut rows = Vec::new();
    for group in question.groups(&entries) {
        let of_group: Vec<&Entry> = entries.iter().filter(|e| e.group == group).collect();
        let mut out = match spec.output {
            RetentionOutput::Curve => curve(&question, &of_group),
            _ => matrix(&question, &of_group),
        };
        for row in &mut out {
            let cell = row.remove("cell").unwrap().as_u64().unwrap() as usize;
            let (first, last) = question.cells[cell];
            row.insert("offset".into(), first.into());
            if !spec.brackets.is_empty() {
                row.insert("offset_last".into(), last.into());
            }
        }
        rows.extend(out.into_iter().map(|row| with_group(row, &spec.by, &group)));
    }
    rows
}

fn matrix(question: &Question<'_>, entries: &[&Entry]) -> Rows {
    let mut rows = Vec::new();
    for (number, cohort) in question.cohorts.iter().enumerate() {
        let own: Vec<&&Entry> = entries.iter().filter(|e| e.cohort == number).collect();
        if own.is_empty() {
            continue;
        }
        for cell in (0..question.cells.len()).take_while(|k| question.begun(cohort, *k)) {
            let retained = own.iter().filter(|e| question.retained(e, cell)).count();
            let mut row = row! {
                "cell": cell,
                "cohort": cohort.start_us(),
                "cohort_label": question.calendar.label(cohort).unwrap(),
                "actors": own.len(),
                "retained": retained,
                "share": ratio(retained, own.len()),
                "complete": question.ended(cohort.end_us() - 1, cell),
            };
            if question.spec.value.is_some() {
                let (first, last) = question.cells[cell];
                let sum = |from: u32| -> f64 {
                    let values = own.iter().flat_map(|e| &e.values);
                    values
                        .filter(|(w, _)| i64::from(from) <= *w && *w <= i64::from(last))
                        .map(|(_, v)| v)
                        .fold(0.0, |a, b| a + b)
                };
                row.insert("value".into(), sum(first).into());
                row.insert("value_total".into(), sum(0).into());
                let each = sum(0) / own.len() as f64;
                row.insert("value_per_actor".into(), each.into());
            }
            rows.push(row);
        }
    }
    rows
}

fn curve(question: &Question<'_>, entries: &[&Entry]) -> Rows {
    let mut rows = Vec::new();
    for cell in 0..question.cells.len() {
        let begun = |e: &&&Entry| question.begun(&question.cohorts[e.cohort], cell);
        if !entries.iter().any(|e| begun(&e)) {
            continue;
        }
        let observed: Vec<_> = entries
            .iter()
            .filter(|e| question.ended(e.start, cell))
            .collect();
        let retained = observed
            .iter()
            .filter(|e| question.retained(e, cell))
            .count();
        let mut row = row! {
            "cell": cell,
            "actors": observed.len(),
            "retained": retained,
            "share": ratio(retained, observed.len()),
        };
        if question.spec.value.is_some() {
            let complete =
                |e: &&&Entry| question.ended(question.cohorts[e.cohort].end_us() - 1, cell);
            let of: Vec<_> = entries.iter().filter(|e| complete(e)).collect();
            let last = i64::from(question.cells[cell].1);
            let values = of
                .iter()
                .flat_map(|e| &e.values)
                .filter(|(w, _)| *w <= last);
            let total = values.map(|(_, v)| v).fold(0.0, |a, b| a + b);
            let known = (!of.is_empty()).then_some(total);
            row.insert("value_actors".into(), of.len().into());
            row.insert("value_total".into(), known.into());
            let each = known.map(|t| t / of.len() as f64);
            row.insert("value_per_actor".into(), each.into());
        }
        rows.push(row);
    }
    rows
}

/// What became of an entry.
struct Life {
    cohort: usize,
    first: Option<i64>,
    active: usize,
    longest: usize,
    current: usize,
    last: i64,
    left: bool,
}

pub(super) fn lives(all: &[Row], spec: &Retention) -> Rows {
    let Some(question) = Question::new(all, spec) else {
        return Vec::new();
    };
    let entries = question.entries();
    let mut rows = Vec::new();
    for group in question.groups(&entries) {
        let of_group = entries.iter().filter(|e| e.group == group);
        let lives: Vec<Life> = of_group.map(|e| life(&question, e)).collect();
        let out = match spec.output {
            RetentionOutput::Summary => vec![summary(&lives)],
            RetentionOutput::Streaks => streaks(&lives),
            _ => survivals(&lives),
        };
        rows.extend(out.into_iter().map(|row| with_group(row, &spec.by, &group)));
    }
    rows
}

fn life(question: &Question<'_>, entry: &Entry) -> Life {
    let mut windows = entry.windows.clone();
    windows.insert(0);
    let run_to = |w: i64| {
        (0..)
            .take_while(|back| windows.contains(&(w - back)))
            .count()
    };
    let last = *windows.last().unwrap();
    let now = question.window(entry.start, question.as_of);
    let inactive = i64::from(question.spec.inactive.unwrap_or(1));
    let ended = |w: i64| question.bounds(entry.start, w).1 <= question.as_of;
    Life {
        cohort: entry.cohort,
        first: entry.windows.iter().copied().find(|w| *w > 0),
        active: entry.windows.iter().filter(|w| **w > 0).count(),
        longest: windows.iter().map(|w| run_to(*w)).max().unwrap(),
        current: if last >= now - 1 { run_to(last) } else { 0 },
        last,
        left: (1..=inactive).all(|i| ended(last + i)),
    }
}

fn summary(lives: &[Life]) -> BTreeMap<String, Value> {
    let mut firsts: Vec<i64> = lives.iter().filter_map(|l| l.first).collect();
    firsts.sort_unstable();
    let n = firsts.len();
    let median = (n > 0).then(|| (firsts[(n - 1) / 2] + firsts[n / 2]) as f64 / 2.0);
    let sum = |of: fn(&Life) -> usize| lives.iter().map(of).sum::<usize>();
    let cohorts: BTreeSet<usize> = lives.iter().map(|l| l.cohort).collect();
    row! {
        "cohorts": cohorts.len(),
        "actors": lives.len(),
        "returned": n,
        "share": ratio(n, lives.len()),
        "first_return_median": median,
        "active_windows_mean": ratio(sum(|l| l.active), lives.len()),
        "streak_mean": ratio(sum(|l| l.longest), lives.len()),
        "streak_longest": lives.iter().map(|l| l.longest).max(),
    }
}

fn streaks(lives: &[Life]) -> Rows {
    let most = lives.iter().map(|l| l.longest).max().unwrap();
    let of_length = |length: usize| {
        let longest = lives.iter().filter(|l| l.longest == length).count();
        let current = lives.iter().filter(|l| l.current == length).count();
        row! {
            "length": length,
            "longest": longest,
            "longest_share": ratio(longest, lives.len()),
            "current": current,
            "current_share": ratio(current, lives.len()),
        }
    };
    (0..=most).map(of_length).collect()
}

fn survivals(lives: &[Life]) -> Rows {
    let end = |l: &Life| (l.last + i64::from(l.left)) as usize;
    let most = lives.iter().map(end).max().unwrap();
    let count = |k: usize, left: bool| {
        lives
            .iter()
            .filter(|l| l.left == left && end(l) == k)
            .count() as u64
    };
    let left: Vec<u64> = (0..=most).map(|k| count(k, true)).collect();
    let censored: Vec<u64> = (0..=most).map(|k| count(k, false)).collect();
    // The estimate itself is checked apart.
    let steps = survival(&left, &censored).into_iter().enumerate();
    steps
        .map(|(k, step)| {
            let at_risk = lives.iter().filter(|l| end(l) >= k).count();
            let product: f64 = (1..=k)
                .filter(|j| left[*j] > 0)
                .map(|j| {
                    let n = lives.iter().filter(|l| end(l) >= j).count() as f64;
                    (n - left[j] as f64) / n
                })
                .fold(1.0, |a, b| a * b);
            row! {
                "offset": k,
                "at_risk": at_risk,
                "left": left[k],
                "censored": censored[k],
                "survival": product,
                "low": step.low,
                "high": step.high,
            }
        })
        .collect()
}
