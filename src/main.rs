//! The `moonlock` program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    moonlock::cli::main()
}
