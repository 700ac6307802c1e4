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

/// What cbindgen takes for public is whatever the sources say; other libraries' headers
/// stand beside this one.
#[test]
fn every_name_in_it_begins_with_segl() {
    let header = fs::read_to_string(env!("SEGL_BUILT_HEADER")).unwrap();
    let mut macros = 0;
    for line in header.lines() {
        if let Some(rest) = line.strip_prefix("#define ") {
            assert!(rest.starts_with("SEGL_"), "{line}");
            macros += 1;
        }
        let ends_type = line
            .strip_prefix("} ")
            .or_else(|| line.strip_prefix("typedef struct "));
        if let Some(name) = ends_type.filter(|name| name.ends_with(';')) {
            assert!(name.starts_with("segl_"), "{line}");
        }
    }
    assert!(macros > 10, "only {macros} macros were found");
}
