//! The `moonlock` program: everything is in the library.

use std::process::ExitCode;

/// A call makes some eighty small allocations, often on one thread to be freed on another: what it is made for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    moonlock::cli::main()
}
