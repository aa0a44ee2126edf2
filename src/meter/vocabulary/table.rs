//! The form of a vocabulary in the program's file: read in place, so that it takes no memory of its own and no time to load.
//!
//! Little-endian numbers of four bytes: how many tokens, how many slots (a power of two), the end of each token's bytes,
//! the slots (a token's rank plus one, 0 where none is); then the tokens' bytes, one behind the other. A token is
//! looked for from the slot that its hash names onwards. The build script makes it and has this file in common with the
//! program.

/// Where a token's slot is sought first.
pub(crate) fn hash(bytes: &[u8]) -> u32 {
    // FNV-1a, then a finish that spreads it over the low bits too.
    let mut hash = 0x811c_9dc5_u32;
    for byte in bytes {
        hash = (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    }
    hash ^= hash >> 15;
    hash = hash.wrapping_mul(0x2c1b_3c6d);
    hash ^ (hash >> 13)
}
