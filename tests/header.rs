//! The header that is checked in is the one that the sources give.
#![cfg(feature = "header")]

use std::fs;

#[test]
fn the_header_is_up_to_date() {
    let built = fs::read_to_string(env!("SEGL_BUILT_HEADER")).unwrap();
    let checked_in = concat!(env!("CARGO_MANIFEST_DIR"), "/include/segl.h");
    let checked_in = fs::read_to_string(checked_in).unwrap();
    for (line, (old, new)) in checked_in.lines().zip(built.lines()).enumerate() {
        assert_eq!(
            old,
            new,
            "include/segl.h line {}: run make header and commit the file",
            line + 1
        );
    }
    assert_eq!(
        checked_in, built,
        "include/segl.h: run make header and commit the file"
    );
}
