//! The constants of the projection, fitted on recorded sessions of coding agents.
//!
//! Tuned on three sources alone they did as well on all the others, and half-lives from one to twenty minutes are much
//! alike. Leaving out the pull towards the usual is not: the errors grow by a third.

/// How one quantity is forecast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Constants {
    /// Minutes after which a call counts half for how often calls come.
    pub(super) half_life: f64,
    /// The usual rate weighs as much as so many minutes of watching.
    pub(super) usual_minutes: f64,
    /// Calls a minute that are usual.
    pub(super) usual_rate: f64,
    /// Calls over which their size is averaged.
    pub(super) size_calls: f64,
    /// The usual size weighs as much as so many calls.
    pub(super) usual_calls: f64,
    /// Units a call that are usual.
    pub(super) usual_size: f64,
    /// Variance of the logarithm of what is to come: always …
    pub(super) variance: f64,
    /// … more, over the minutes that are left: a short time can pass without a call …
    pub(super) variance_short: f64,
    /// … and more, over the calls seen: few calls tell little.
    pub(super) variance_young: f64,
}

/// All tokens, those that a cache served included.
pub(super) const TOTAL: Constants = Constants {
    half_life: 5.0,
    usual_minutes: 10.0,
    usual_rate: 1.7,
    size_calls: 3.0,
    usual_calls: 2.0,
    usual_size: 88_000.0,
    variance: 0.6,
    variance_short: 0.6,
    variance_young: 1.5,
};

/// Tokens that no cache served.
pub(super) const FRESH: Constants = Constants {
    half_life: 20.0,
    usual_minutes: 20.0,
    usual_rate: 1.2,
    size_calls: 100.0,
    usual_calls: 30.0,
    usual_size: 2_600.0,
    variance: 0.6,
    variance_short: 1.0,
    variance_young: 1.7,
};

/// Money, in fresh prompt tokens' worth (see [`super::CallUse`]) until the session's own price of those is known.
pub(super) const COST: Constants = Constants {
    half_life: 5.0,
    usual_minutes: 10.0,
    usual_rate: 1.6,
    size_calls: 10.0,
    usual_calls: 10.0,
    usual_size: 13_500.0,
    variance: 0.5,
    variance_short: 0.8,
    variance_young: 1.0,
};

/// How long a session lasts whose end is open: the logarithm of its minutes is normal with this mean …
pub(super) const LENGTH_MEAN: f64 = 3.06;
/// … and this standard deviation.
pub(super) const LENGTH_DEVIATION: f64 = 0.945;
