//! One suite for all stores, a model that all stores are compared with, and what belongs to single parts.

mod audit;
mod kit;
mod model;
mod pool;
mod suite;

use kit::{Kit, run};

/// Makes a test of each part of the suite for the stores that need no server. That of PostgreSQL runs all parts in one test, because a
/// server may have to be started for it.
macro_rules! suite {
    ($($part:ident),* $(,)?) => {
        mod memory {
            $(#[test] fn $part() { super::run(super::suite::$part(super::Kit::memory())); })*
        }
        mod sqlite {
            $(#[test] fn $part() { super::run(super::suite::$part(super::Kit::sqlite())); })*
        }
        #[cfg(feature = "postgres")]
        #[test]
        fn postgres_passes_the_suite() {
            $(
                eprintln!("postgres: {}", stringify!($part));
                run(suite::$part(Kit::postgres()));
            )*
        }
    };
}

suite!(
    a_job_goes_its_way,
    an_idempotency_key_makes_one_job,
    a_unique_key_counts_in_its_states_and_period,
    the_order_is_priority_then_time_then_number,
    a_late_answer_is_dropped,
    an_orphan_is_rescued_and_fails_at_its_last_attempt,
    only_retryable_errors_are_retried,
    a_job_given_back_has_not_used_its_attempt,
    a_job_can_be_called_off,
    failed_jobs_can_be_replayed_and_old_ones_removed,
    kinds_have_limits,
    a_tick_makes_one_job,
    missed_ticks_are_caught_up_as_asked,
    waiting_ends_with_the_job,
    changes_come_in_their_order,
    jobs_are_listed_page_by_page,
    several_handles_share_the_queue,
    refused_operations_leave_the_others_alone,
    large_and_odd_payloads_do_no_harm,
);
