//! What the bindings in other languages have in common with the C ABI: their error
//! numbers, which are written here, and a function for each of the header's.

mod error_code;
#[path = "../support/frozen.rs"]
mod frozen;
mod parity;
