//! The `moonlock` program: everything is in the library.

fn main() {}
