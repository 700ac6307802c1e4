//! Writes the C header, with the feature `header` only.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "header")]
    header::write();
}

#[cfg(feature = "header")]
#[path = "src/error/code.rs"]
#[allow(dead_code, reason = "the crate uses the rest")]
mod code;

#[cfg(feature = "header")]
mod header {
    use std::env;
    use std::fmt::Write;
    use std::path::PathBuf;

    use super::code::ErrorCode;

    /// Writes `segl.h` to the build folder, and to `include/` with `SEGL_BLESS=1`.
    pub fn write() {
        for path in ["cbindgen.toml", "src/ffi", "src/error/code.rs"] {
            println!("cargo::rerun-if-changed={path}");
        }
        println!("cargo::rerun-if-env-changed=SEGL_BLESS");
        let folder = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
        let mut config = cbindgen::Config::from_file(folder.join("cbindgen.toml"))
            .expect("cbindgen.toml is read");
        config
            .after_includes
            .get_or_insert_default()
            .push_str(&error_numbers());
        // Not the whole crate: cbindgen leaves an empty line for each public constant that it
        // sees and C cannot have.
        let bindings = cbindgen::Builder::new()
            .with_src(folder.join("src/ffi/mod.rs"))
            .with_config(config)
            .generate()
            .expect("cbindgen reads src/ffi");
        let built = PathBuf::from(variable("OUT_DIR")).join("segl.h");
        bindings.write_to_file(&built);
        println!("cargo::rustc-env=SEGL_BUILT_HEADER={}", built.display());
        if env::var_os("SEGL_BLESS").is_some() {
            bindings.write_to_file(folder.join("include/segl.h"));
        }
    }

    fn error_numbers() -> String {
        let mut text = "\n/* Error numbers; docs/errors.md says more. A number is never reused. */\nenum {\n  /* Success: a NULL segl_error. */\n  SEGL_OK = 0".to_owned();
        for code in ErrorCode::ALL {
            let meaning = code.meaning().trim().replace('`', "");
            write!(
                text,
                ",\n  /* {meaning} */\n  SEGL_{} = {}",
                code.name(),
                code.number()
            )
            .expect("a String takes any text");
        }
        text + "\n};\n"
    }

    fn variable(name: &str) -> String {
        env::var(name).expect("cargo sets it for build scripts")
    }
}
