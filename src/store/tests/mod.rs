//! The store as its users see it: through `Store`, `WriterHandle` and `Reader`.

mod alerts;
mod backup;
mod counted_once;
mod courses;
mod damage;
mod durability;
mod forgetting;
mod limits;
mod migrating;
mod opening;
mod paging;
mod places;
mod repair;
mod session_lists;
mod sums;
mod support;
mod timers;
