//! Event logs with stories planted in them, for measuring what insights find.
//!
//! A log has 182 days of a product with some 1,200 actors (or as many as are asked for). Each actor has a region, a plan, a platform and a team, its own
//! rate of activity, and a version of the app, which it changes some days after each release. On an active day it opens the app,
//! views, synchronises (some of which fails) and perhaps buys. Weekends have about a third of the activity, and so have two or three
//! holidays: both are in every log, and are not news.
//!
//! Everything follows from the seed.

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Rng {
        Rng(seed.wrapping_mul(0xA076_1D64_78BD_642F) ^ 0x1234_5678_9ABC_DEF0)
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f64) as usize).min(n - 1)
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// By Knuth's product; for small means.
    fn poisson(&mut self, mean: f64) -> usize {
        let least = (-mean).exp();
        let (mut k, mut product) = (0, self.unit());
        while product > least {
            k += 1;
            product *= self.unit();
        }
        k
    }

    fn pick<'a>(&mut self, weighted: &[(&'a str, f64)]) -> &'a str {
        let total: f64 = weighted.iter().map(|w| w.1).sum();
        let mut left = self.unit() * total;
        for (name, weight) in weighted {
            left -= weight;
            if left <= 0.0 {
                return name;
            }
        }
        weighted[weighted.len() - 1].0
    }
}

pub(crate) const DAYS: usize = 182;
/// 2026-01-05, a Monday, in days since 1970-01-01.
pub(crate) const FIRST_DAY: i64 = 20_458;

pub(crate) const DIMENSIONS: [&str; 5] = ["region", "plan", "platform", "team", "app_version"];
const REGIONS: [(&str, f64); 5] = [
    ("eu-west", 30.0),
    ("us-east", 35.0),
    ("us-west", 15.0),
    ("ap-south", 12.0),
    ("sa-east", 8.0),
];
const PLANS: [(&str, f64); 3] = [("free", 55.0), ("pro", 33.0), ("enterprise", 12.0)];
const PLATFORMS: [(&str, f64); 4] = [
    ("web", 45.0),
    ("ios", 25.0),
    ("android", 22.0),
    ("desktop", 8.0),
];
const TEAMS: [(&str, f64); 8] = [
    ("atlas", 10.0),
    ("birch", 15.0),
    ("cobalt", 20.0),
    ("delta", 12.0),
    ("ember", 14.0),
    ("fjord", 9.0),
    ("grove", 11.0),
    ("helix", 9.0),
];
const VERSIONS: [(&str, usize); 5] = [
    ("4.0", 0),
    ("4.1", 30),
    ("4.2", 70),
    ("4.3", 112),
    ("4.4", 150),
];

/// The metrics of the product.
pub(crate) const REGISTRY: &str = r#"
version: 1
dimensions:
  - {name: region}
  - {name: plan}
  - {name: platform}
  - {name: team}
  - {name: app_version}
metrics:
  - {name: events, title: {en: Events, ru: События}, kind: simple, expr: count(*)}
  - name: active_actors
    title: {en: Active actors, ru: Активные участники}
    kind: simple
    expr: count(distinct actor)
    direction: up
  - {name: syncs, title: {en: Synchronisations, ru: Синхронизации}, kind: simple, expr: count(*), filter: event = 'sync'}
  - name: sync_failure_rate
    title: {en: Sync failure rate, ru: Доля неудачных синхронизаций}
    kind: ratio
    numerator: {expr: count(*), filter: "event = 'sync' and status = 'failed'"}
    denominator: {expr: count(*), filter: event = 'sync'}
    direction: down
    format: percent
  - {name: purchases, title: {en: Purchases, ru: Покупки}, kind: simple, expr: count(*), filter: event = 'purchase', direction: up}
  - name: buyer_share
    title: {en: Share of buyers, ru: Доля покупателей}
    kind: ratio
    numerator: {expr: count(distinct actor), filter: event = 'purchase'}
    denominator: {expr: count(distinct actor)}
    direction: up
    format: percent
"#;

/// The kinds of stories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// The synchronisation of one version fails for two weeks.
    SyncFailure,
    /// A region sends nothing for a day.
    RegionDown,
    /// Automated accounts flood one platform for some days.
    BotFlood,
    /// A plan is used less and less over a quarter.
    PlanErosion,
    /// A launch lifts the activity of one team.
    TeamLaunch,
    /// A platform whose actors rarely buy grows, so that fewer of all buy.
    MixShift,
}

pub(crate) const KINDS: [Kind; 6] = [
    Kind::SyncFailure,
    Kind::RegionDown,
    Kind::BotFlood,
    Kind::PlanErosion,
    Kind::TeamLaunch,
    Kind::MixShift,
];

/// What was planted.
#[derive(Debug, Clone)]
pub(crate) struct Planted {
    pub(crate) kind: Kind,
    /// Pairs of dimension and value.
    pub(crate) segment: Vec<(&'static str, String)>,
    /// The first day and the first day after, from 0.
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// How strong it is: a factor of activity, or a probability.
    pub(crate) size: f64,
}

/// An event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) day: usize,
    pub(crate) second: u32,
    pub(crate) actor: u32,
    pub(crate) event: &'static str,
    /// The values of [`DIMENSIONS`], in their order.
    pub(crate) at: [&'static str; 5],
    pub(crate) failed: Option<bool>,
}

/// A log: events in the order of days, and what is planted in them.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    pub(crate) rows: Vec<Row>,
    pub(crate) stories: Vec<Planted>,
    /// Days from 0 on which the product is used as on a weekend.
    pub(crate) holidays: Vec<usize>,
}

/// Makes a log of so many actors with `count` stories of different kinds.
pub(crate) fn log(seed: u64, count: usize, actors: usize) -> Log {
    let mut rng = Rng::new(seed);
    let mut kinds = KINDS.to_vec();
    let mut stories = Vec::new();
    for _ in 0..count.min(KINDS.len()) {
        let kind = kinds.remove(rng.below(kinds.len()));
        stories.push(plant(kind, &mut rng));
    }
    events(&mut rng, stories, actors)
}

fn plant(kind: Kind, rng: &mut Rng) -> Planted {
    let name =
        |list: &[(&'static str, f64)], rng: &mut Rng| list[rng.below(list.len())].0.to_owned();
    let (segment, from, length, size) = match kind {
        Kind::SyncFailure => {
            let (version, released) = VERSIONS[1 + rng.below(3)];
            let from = released + 5 + rng.below(8);
            (
                vec![("app_version", version.to_owned())],
                from,
                14,
                rng.between(0.2, 0.4),
            )
        }
        Kind::RegionDown => (
            vec![("region", name(&REGIONS, rng))],
            weekday(25 + rng.below(140)),
            1,
            0.02,
        ),
        Kind::BotFlood => {
            let length = 2 + rng.below(3);
            (
                vec![("platform", "web".to_owned()), ("plan", "free".to_owned())],
                25 + rng.below(140),
                length,
                rng.between(120.0, 300.0),
            )
        }
        Kind::PlanErosion => (
            vec![("plan", name(&PLANS[..2], rng))],
            49 + rng.below(42),
            91,
            rng.between(0.45, 0.65),
        ),
        Kind::TeamLaunch => {
            let from = 40 + rng.below(100);
            (
                vec![("team", name(&TEAMS, rng))],
                from,
                DAYS - from,
                rng.between(1.5, 2.0),
            )
        }
        Kind::MixShift => {
            let from = 40 + rng.below(100);
            (
                vec![("platform", "android".to_owned())],
                from,
                DAYS - from,
                rng.between(1.8, 2.6),
            )
        }
    };
    Planted {
        kind,
        segment,
        from,
        to: (from + length).min(DAYS),
        size,
    }
}

/// Moves a day out of the weekend.
fn weekday(day: usize) -> usize {
    if day % 7 >= 5 { day - 2 } else { day }
}

struct Actor {
    at: [&'static str; 4],
    rate: f64,
    /// How many days after each release it takes it.
    delay: [usize; VERSIONS.len()],
    /// The first day on which it may be active.
    since: usize,
}

fn events(rng: &mut Rng, stories: Vec<Planted>, actors: usize) -> Log {
    let mut holidays: Vec<usize> = (0..2 + rng.below(2))
        .map(|_| weekday(10 + rng.below(DAYS - 20)))
        .collect();
    holidays.sort_unstable();
    holidays.dedup();
    // The day of a story is not one of a holiday: which of the two it is could not be told.
    holidays.retain(|h| {
        !stories
            .iter()
            .any(|s| s.to - s.from < 10 && (s.from..s.to).contains(h))
    });
    let new_actor = |rng: &mut Rng, since: usize| Actor {
        at: [
            rng.pick(&REGIONS),
            rng.pick(&PLANS),
            rng.pick(&PLATFORMS),
            rng.pick(&TEAMS),
        ],
        rate: rng.between(0.25, 0.85),
        delay: std::array::from_fn(|_| (-(1.0 - rng.unit()).ln() * 7.0) as usize),
        since,
    };
    let mut actors: Vec<Actor> = (0..actors).map(|_| new_actor(rng, 0)).collect();
    if let Some(mix) = stories.iter().find(|s| s.kind == Kind::MixShift) {
        let now = actors.iter().filter(|a| a.at[2] == "android").count();
        for _ in 0..(now as f64 * (mix.size - 1.0)) as usize {
            let mut actor = new_actor(rng, mix.from);
            actor.at[2] = "android";
            actors.push(actor);
        }
    }
    let story = |kind: Kind, day: usize| {
        stories
            .iter()
            .find(|s| s.kind == kind && (s.from..s.to).contains(&day))
    };
    let mut rows = Vec::new();
    for day in 0..DAYS {
        let quiet = day % 7 >= 5 || holidays.contains(&day);
        let mood = if quiet { 0.35 } else { 1.0 } * rng.between(0.97, 1.03);
        for (number, actor) in actors.iter().enumerate() {
            if day < actor.since {
                continue;
            }
            let [region, plan, platform, team] = actor.at;
            let mut rate = actor.rate * mood;
            if let Some(s) = story(Kind::RegionDown, day)
                && s.segment[0].1 == region
            {
                rate *= s.size;
            }
            // The level at the end of an erosion stays.
            if let Some(s) = stories
                .iter()
                .find(|s| s.kind == Kind::PlanErosion && day >= s.from)
                && s.segment[0].1 == plan
            {
                let part = (day - s.from) as f64 / (s.to - s.from) as f64;
                rate *= 1.0 - (1.0 - s.size) * part.min(1.0);
            }
            if rng.unit() >= rate {
                continue;
            }
            let lift = match story(Kind::TeamLaunch, day) {
                Some(s) if s.segment[0].1 == team => s.size,
                _ => 1.0,
            };
            let newest = VERSIONS.iter().zip(actor.delay).rev();
            let version = newest
                .filter(|((_, released), delay)| *released == 0 || day >= released + delay)
                .map(|((name, _), _)| *name)
                .next()
                .unwrap_or("4.0");
            let at = [region, plan, platform, team, version];
            let mut push = |rng: &mut Rng, event, failed| {
                rows.push(Row {
                    day,
                    second: rng.below(86_400) as u32,
                    actor: number as u32,
                    event,
                    at,
                    failed,
                });
            };
            push(rng, "open", None);
            for _ in 0..rng.poisson(2.0 * lift) {
                push(rng, "view", None);
            }
            let failing = match story(Kind::SyncFailure, day) {
                Some(s) if s.segment[0].1 == version => s.size,
                _ => 0.03,
            };
            for _ in 0..rng.poisson(1.5 * lift) {
                let failed = rng.unit() < failing;
                push(rng, "sync", Some(failed));
            }
            let buys = match platform {
                "android" => 0.02,
                "web" => 0.12,
                _ => 0.10,
            };
            if rng.unit() < buys {
                push(rng, "purchase", None);
            }
        }
        if let Some(s) = story(Kind::BotFlood, day) {
            for bot in 0..s.size as u32 {
                let at = [rng.pick(&REGIONS), "free", "web", rng.pick(&TEAMS), "4.0"];
                for _ in 0..4 + rng.poisson(4.0) {
                    rows.push(Row {
                        day,
                        second: rng.below(86_400) as u32,
                        actor: 1_000_000 + bot,
                        event: "view",
                        at,
                        failed: None,
                    });
                }
            }
        }
    }
    Log {
        rows,
        stories,
        holidays,
    }
}
