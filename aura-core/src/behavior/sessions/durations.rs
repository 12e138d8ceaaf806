//! Many durations, and exact percentiles of them.

/// A chunk holds so many at most.
const MOST: usize = 1 << 16;
const LEAST: usize = 8;
/// Up to so many are simply sorted.
const FEW: usize = 4_096;

/// Durations, in chunks, so that they never move: 8 bytes each, and at most half as much for what chunks have
/// room for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Durations {
    chunks: Vec<Vec<u64>>,
    count: u64,
}

impl Durations {
    /// Adds a duration; returns how many bytes more are taken for it and others to come.
    #[inline]
    pub(crate) fn push(&mut self, duration: u64) -> usize {
        self.count += 1;
        if let Some(chunk) = self.chunks.last_mut()
            && chunk.len() < chunk.capacity()
        {
            chunk.push(duration);
            return 0;
        }
        self.grow(duration)
    }

    #[cold]
    fn grow(&mut self, duration: u64) -> usize {
        let last = self.chunks.last().map_or(0, Vec::len);
        let mut chunk = Vec::with_capacity((2 * last).clamp(LEAST, MOST));
        chunk.push(duration);
        let bytes = chunk.capacity() * size_of::<u64>() + size_of::<Vec<u64>>();
        self.chunks.push(chunk);
        bytes
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn absorb(&mut self, mut from: Durations) {
        self.count += from.count;
        self.chunks.append(&mut from.chunks);
    }

    fn all(&self) -> impl Iterator<Item = u64> + '_ {
        self.chunks.iter().flatten().copied()
    }

    /// Returns the values at ascending ranks, counted from 0.
    pub(crate) fn at_ranks(&self, ranks: &[u64]) -> Vec<u64> {
        if self.count <= FEW as u64 {
            let mut all: Vec<u64> = self.all().collect();
            all.sort_unstable();
            let at = |rank: &u64| all.get(*rank as usize).copied().unwrap_or(0);
            return ranks.iter().map(at).collect();
        }
        // How many lie in each bucket; then only what lies in the buckets of the ranks is looked at.
        let mut counts = vec![0_u64; BUCKETS];
        for duration in self.all() {
            if let Some(count) = counts.get_mut(bucket(duration)) {
                *count += 1;
            }
        }
        let mut wanted: Vec<(usize, u64)> = Vec::with_capacity(ranks.len());
        let (mut at, mut before) = (0, 0);
        for &rank in ranks {
            while let Some(count) = counts.get(at)
                && before + count <= rank
            {
                before += count;
                at += 1;
            }
            wanted.push((at, rank - before));
        }
        let mut slots = vec![usize::MAX; BUCKETS];
        let mut inside: Vec<Vec<u64>> = Vec::new();
        for (bucket, _) in &wanted {
            if let Some(slot) = slots.get_mut(*bucket)
                && *slot == usize::MAX
            {
                *slot = inside.len();
                let count = counts.get(*bucket).copied().unwrap_or(0);
                inside.push(Vec::with_capacity(count as usize));
            }
        }
        for duration in self.all() {
            let slot = slots.get(bucket(duration)).copied().unwrap_or(usize::MAX);
            if let Some(values) = inside.get_mut(slot) {
                values.push(duration);
            }
        }
        let found = wanted.iter().map(|(bucket, rank)| {
            let slot = slots.get(*bucket).copied().unwrap_or(usize::MAX);
            let values = inside.get_mut(slot)?;
            let rank = *rank as usize;
            (rank < values.len()).then(|| *values.select_nth_unstable(rank).1)
        });
        found.map(|value| value.unwrap_or(0)).collect()
    }
}

/// Buckets are as wide as their values are great, to one part in 1,024.
const BITS: u32 = 10;
const BUCKETS: usize = 64 << BITS;

#[inline]
fn bucket(value: u64) -> usize {
    let exponent = 63 - (value | 1).leading_zeros();
    if exponent < BITS {
        return value as usize;
    }
    let shift = exponent - BITS;
    let fraction = (value >> shift) & ((1 << BITS) - 1);
    (((u64::from(shift) + 1) << BITS) | fraction) as usize
}

/// What is known of the durations of some sessions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Percentile<'a> {
    /// How many are 0.
    pub(crate) zeros: u64,
    pub(crate) durations: &'a Durations,
}

impl Percentile<'_> {
    /// Returns percentiles (from 0 to 100) in seconds, between two durations interpolated linearly; `None` without
    /// any.
    pub(crate) fn seconds(&self, percentiles: &[f64]) -> Vec<Option<f64>> {
        let count = self.zeros + self.durations.count();
        let Some(last) = count.checked_sub(1) else {
            return vec![None; percentiles.len()];
        };
        let places: Vec<(u64, f64)> = percentiles
            .iter()
            .map(|p| {
                let place = last as f64 * (p / 100.0);
                (place.floor() as u64, place.fract())
            })
            .collect();
        // All ranks that are needed, among those that are not 0.
        let both = places
            .iter()
            .flat_map(|(low, _)| [*low, (*low + 1).min(last)]);
        let mut ranks: Vec<u64> = both.filter_map(|r| r.checked_sub(self.zeros)).collect();
        ranks.sort_unstable();
        ranks.dedup();
        let values = self.durations.at_ranks(&ranks);
        let at = |rank: u64| -> f64 {
            let Some(rank) = rank.checked_sub(self.zeros) else {
                return 0.0;
            };
            let found = ranks.binary_search(&rank).ok();
            found
                .and_then(|i| values.get(i))
                .map_or(0.0, |us| *us as f64)
        };
        let seconds = places.iter().map(|(low, part)| {
            let (below, above) = (at(*low), at((*low + 1).min(last)));
            Some((below + (above - below) * part) / 1e6)
        });
        seconds.collect()
    }
}
