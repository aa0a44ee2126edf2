//! The tables `calls` and `running_calls`.

/// The columns that both tables begin with.
macro_rules! start_columns {
    () => {
        "id, started_at, session, attribution, provider, price_provider, operation, request_model, \
         conversation, client, asked, asked_by, agent, parent_agent"
    };
}

/// The further columns of `calls`.
macro_rules! end_columns {
    () => {
        "outcome, status, model, source, error, streamed, ttft_ms, duration_ms, request_id, input_tokens, \
         cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, audio_in_tokens, image_in_tokens, \
         output_tokens, reasoning_tokens, audio_out_tokens, image_out_tokens, unsplit_tokens, web_searches, \
         provider_cost_nano_usd, cost_nano_usd, raw_usage, counted_by, price_source, price_date, \
         input_low, input_high, output_low, output_high, changed_at"
    };
}

/// All tokens of a row.
macro_rules! all_tokens {
    () => {
        "coalesce(input_tokens, 0) + coalesce(cache_read_tokens, 0) + coalesce(cache_write_5m_tokens, 0) \
         + coalesce(cache_write_1h_tokens, 0) + coalesce(audio_in_tokens, 0) + coalesce(image_in_tokens, 0) \
         + coalesce(output_tokens, 0) + coalesce(reasoning_tokens, 0) + coalesce(audio_out_tokens, 0) \
         + coalesce(image_out_tokens, 0) + coalesce(unsplit_tokens, 0)"
    };
}

mod filters;
mod forgetting;
mod known;
mod past;
mod places;
mod read;
mod sums;
mod write;

pub(super) use filters::id_at;
pub use forgetting::Forgettable;
pub(super) use forgetting::{forget, forgettable, has_gone, may_have_gone, since};
pub(super) use known::known;
pub(super) use past::{each_spent, last_written, past};
pub(super) use places::{Noted, note_anew, note_old};
pub(super) use read::{call, ended, extent, oldest, running, running_ids, select};
pub(super) use sums::{renew_old_sums, sum_anew};
pub(super) use write::{finish, remove, remove_running, start};
