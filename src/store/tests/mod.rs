//! The store as its users see it: through `Store`, `WriterHandle` and `Reader`.

mod counted_once;
mod damage;
mod durability;
mod limits;
mod opening;
mod paging;
mod sums;
mod support;
mod timers;
