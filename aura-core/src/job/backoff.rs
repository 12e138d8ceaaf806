//! How long to wait before another attempt.

use super::Retry;

impl Retry {
    /// Returns the milliseconds to wait after the `attempt`th attempt (from 1), drawn by `random` (evenly from all of `u64`).
    pub(crate) fn wait_ms(self, attempt: u32, random: u64) -> u64 {
        let doublings = attempt.saturating_sub(1).min(63);
        let longest = self.base_ms.saturating_mul(1 << doublings).min(self.cap_ms);
        // The high half of a product scales evenly, without a division's bias.
        let span = u128::from(longest) + 1;
        ((u128::from(random) * span) >> 64) as u64
    }
}

/// Returns another random number for each `salt` (SplitMix64).
pub(crate) fn mixed(random: u64, salt: u64) -> u64 {
    let mut z = random ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_cap_and_use_the_whole_range() {
        let retry = Retry {
            base_ms: 100,
            cap_ms: 1_000,
        };
        let most: Vec<u64> = (1..=6).map(|n| retry.wait_ms(n, u64::MAX)).collect();
        assert_eq!(most, [100, 200, 400, 800, 1_000, 1_000]);
        assert_eq!(retry.wait_ms(6, 0), 0);
        assert_eq!(retry.wait_ms(1_000, u64::MAX), 1_000);
        let mean: u64 = (0..10_000)
            .map(|n| retry.wait_ms(3, mixed(7, n)))
            .sum::<u64>()
            / 10_000;
        assert!((195..=205).contains(&mean), "{mean}");
    }

    #[test]
    fn the_longest_settings_do_not_overflow() {
        let retry = Retry {
            base_ms: u64::MAX,
            cap_ms: u64::MAX,
        };
        assert_eq!(retry.wait_ms(u32::MAX, u64::MAX), u64::MAX);
    }
}
