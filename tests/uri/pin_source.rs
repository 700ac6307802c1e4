//! PIN sources: their forms, the policy, and reading them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use segl::keys::uri::{PinPolicy, PinSource};
use segl::{ErrorCode, KeyUri};

use crate::{ALLOW_ALL, refused_as};

#[test]
fn forms() {
    for (text, shown) in [
        ("file:/run/pin", "file:/run/pin"),
        ("FILE:///run/pin", "file:/run/pin"),
        ("/run/a:b", "file:/run/a:b"),
        ("file:/run/a%20b", "file:/run/a%20b"),
        ("env:PIN", "env:PIN"),
        ("Env:a:b", "env:a:b"),
        ("|pass show hsm", "|[redacted]"),
    ] {
        let source = PinSource::parse(text, ALLOW_ALL).unwrap();
        assert_eq!(source.to_string(), shown);
        assert_eq!(format!("{source:?}"), format!("PinSource({shown})"));
    }
}

#[test]
fn other_forms_are_refused_without_repeating_them() {
    for text in [
        "",
        "hemmelig",
        "run/hemmelig",
        "file:hemmelig",
        "file://hemmelig/pin",
        "file:",
        "/hemmelig\0",
        "vault:hemmelig",
        "https://hemmelig",
        " |hemmelig",
        "env:",
        "env:hemmelig=1",
        "env:hemmelig\0",
        "|",
        "| ",
        "|hemmelig\0",
    ] {
        let result = PinSource::parse(text, ALLOW_ALL);
        let message = format!("{:?}", result.as_ref().unwrap_err());
        assert!(!message.contains("hemmelig"), "{message}");
        refused_as(ErrorCode::PinSource, result, text, &[]);
    }
}

#[test]
fn policy() {
    for (text, switch) in [
        ("pkcs11:?pin-source=|pass", "allow commands"),
        ("pkcs11:?pin-source=%7Cpass", "allow commands"),
        ("file:k?pin-source=|pass", "allow commands"),
        ("pkcs11:?pin-value=1234", "allow pin-value"),
        ("file:k?pin-value=", "allow pin-value"),
    ] {
        refused_as(
            ErrorCode::PinSource,
            text.parse::<KeyUri>(),
            text,
            &["query attribute 1 \"pin-", switch, "env:NAME"],
        );
    }
    let commands = PinPolicy {
        allow_command: true,
        ..PinPolicy::default()
    };
    assert!(KeyUri::parse("pkcs11:?pin-source=|pass", commands).is_ok());
    assert!(KeyUri::parse("pkcs11:?pin-value=1", commands).is_err());
    let values = PinPolicy {
        allow_value: true,
        ..PinPolicy::default()
    };
    assert!(KeyUri::parse("pkcs11:?pin-value=1", values).is_ok());
    assert!(KeyUri::parse("pkcs11:?pin-source=|pass", values).is_err());
    refused_as(
        ErrorCode::PinSource,
        KeyUri::parse("pkcs11:?pin-value=", values),
        "empty",
        &["PIN is empty"],
    );
}

/// A file with mode 0400 (as far as the system has modes).
fn secret_file(dir: &Path, content: &[u8]) -> PathBuf {
    let path = dir.join("pin");
    let _ = fs::remove_file(&path);
    fs::write(&path, content).unwrap();
    #[cfg(unix)]
    set_mode(&path, 0o400);
    path
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn read_file(path: &Path) -> segl::Result<Vec<u8>> {
    let secret = PinSource::File(path.to_owned()).read()?;
    Ok(secret.expose().to_vec())
}

#[test]
fn one_newline_is_not_part_of_the_pin() {
    let dir = tempfile::tempdir().unwrap();
    let longest = vec![b'9'; 4096];
    for (content, pin) in [
        (&b"1234"[..], &b"1234"[..]),
        (b"1234\n", b"1234"),
        (b"1234\r\n", b"1234"),
        (b"1234\n\n", b"1234\n"),
        (b"1234\r", b"1234\r"),
        (b"1234\n\r\n", b"1234\n"),
        (b" 12\n34 \n", b" 12\n34 "),
        (b"\x00\xff\xfe", b"\x00\xff\xfe"),
        (&longest, &longest),
    ] {
        let path = secret_file(dir.path(), content);
        assert_eq!(read_file(&path).unwrap(), pin, "{content:?}");
    }
}

#[test]
fn files_that_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let named = dir.path().join("pin").display().to_string();
    for content in [&b""[..], b"\n", b"\r\n"] {
        let path = secret_file(dir.path(), content);
        refused_as(
            ErrorCode::PinSource,
            read_file(&path),
            "empty",
            &[&named, "is empty"],
        );
    }
    let path = secret_file(dir.path(), &[b'9'; 4097]);
    refused_as(
        ErrorCode::PinSource,
        read_file(&path),
        "long",
        &[&named, "4096 bytes"],
    );
    fs::remove_file(&path).unwrap();
    refused_as(
        ErrorCode::PinSource,
        read_file(&path),
        "missing",
        &[&named, "check that it exists"],
    );
    refused_as(
        ErrorCode::PinSource,
        read_file(dir.path()),
        "directory",
        &["not a regular file"],
    );
}

#[test]
#[cfg(unix)]
fn files_open_to_everybody_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = secret_file(dir.path(), b"1234");
    for mode in [0o404, 0o402, 0o401, 0o644, 0o444] {
        set_mode(&path, mode);
        let shown = format!("mode {mode:04o}");
        refused_as(
            ErrorCode::PinSource,
            read_file(&path),
            &shown,
            &[&shown, "chmod it to 0400", "defaultMode"],
        );
    }
    for mode in [0o400, 0o600, 0o440, 0o660] {
        set_mode(&path, mode);
        assert_eq!(read_file(&path).unwrap(), b"1234", "{mode:o}");
    }
}

/// Kubernetes mounts secrets as links into a directory that it swaps.
#[test]
#[cfg(unix)]
fn links_are_followed_to_regular_files_only() {
    use std::os::unix::fs::symlink;
    let dir = tempfile::tempdir().unwrap();
    let path = secret_file(dir.path(), b"1234\n");
    let link = dir.path().join("link");
    symlink(&path, &link).unwrap();
    assert_eq!(read_file(&link).unwrap(), b"1234");
    set_mode(&path, 0o404);
    assert!(read_file(&link).is_err(), "the mode is the target's");

    let fifo = dir.path().join("fifo");
    let made = Command::new("mkfifo")
        .arg("-m")
        .arg("400")
        .arg(&fifo)
        .status();
    assert!(made.unwrap().success());
    let to_fifo = dir.path().join("to-fifo");
    symlink(&fifo, &to_fifo).unwrap();
    let dangling = dir.path().join("dangling");
    symlink(dir.path().join("nothing"), &dangling).unwrap();
    for path in [&fifo, &to_fifo, Path::new("/dev/null")] {
        refused_as(
            ErrorCode::PinSource,
            read_file(path),
            "special",
            &["not a regular file"],
        );
    }
    assert!(read_file(&dangling).is_err());
}

/// Runs itself again with the variable set, since a process must not change its
/// own environment while other threads may read it.
#[test]
#[cfg(unix)]
fn environment_values_are_bytes() {
    use std::os::unix::ffi::OsStrExt;
    const NAME: &str = "SEGL_TEST_PIN_BYTES";
    const PIN: &[u8] = b"p\xc3\xff\n";
    let source = PinSource::parse(&format!("env:{NAME}"), PinPolicy::default()).unwrap();
    if std::env::var_os(NAME).is_some() {
        assert_eq!(source.read().unwrap().expose(), PIN);
        return;
    }
    refused_as(
        ErrorCode::PinSource,
        source.read(),
        "unset",
        &["env:SEGL_TEST_PIN_BYTES", "not set"],
    );
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "pin_source::environment_values_are_bytes"])
        .env(NAME, std::ffi::OsStr::from_bytes(PIN))
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}");
    assert!(report.contains("1 passed"), "{report}");
}

#[test]
fn empty_variables_are_refused() {
    const NAME: &str = "SEGL_TEST_PIN_EMPTY";
    if std::env::var_os(NAME).is_some() {
        let result = PinSource::Env(NAME.to_owned()).read();
        refused_as(
            ErrorCode::PinSource,
            result,
            "empty",
            &["env:SEGL_TEST_PIN_EMPTY", "is empty"],
        );
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "pin_source::empty_variables_are_refused"])
        .env(NAME, "")
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}");
    assert!(report.contains("1 passed"), "{report}");
}

#[test]
#[cfg(unix)]
fn commands() {
    let run = |command: &str| {
        let source = PinSource::parse(&format!("|{command}"), ALLOW_ALL).unwrap();
        source.read().map(|pin| pin.expose().to_vec())
    };
    assert_eq!(run("echo 1234").unwrap(), b"1234");
    assert_eq!(run("printf '12\\n\\n'; echo noise >&2").unwrap(), b"12\n");
    assert_eq!(run("printf '\\377\\000x'").unwrap(), b"\xff\0x");
    assert_eq!(run("cat; printf 1").unwrap(), b"1", "no input");
    for (command, problem) in [
        ("echo hemmelig; echo hemmelig >&2; exit 3", "exit status: 3"),
        ("kill -9 $$ # hemmelig", "signal: 9"),
        ("true # hemmelig", "printed nothing"),
        ("echo # hemmelig", "printed nothing"),
        ("yes hemmelig", "more than 4096 bytes"),
        ("/nowhere/hemmelig", "exit status: 127"),
    ] {
        let result = run(command);
        let message = format!("{:?}", result.as_ref().unwrap_err());
        assert!(!message.contains("hemmelig"), "{message}");
        refused_as(
            ErrorCode::PinSource,
            result,
            command,
            &["PIN source |[redacted]", problem],
        );
    }
}
