//! The configuration and the files that it names.

use super::*;

#[test]
fn a_configuration_that_cannot_be_used_is_one_finding() {
    let desk = Desk::new();
    let misspelt = desk.bank().replace("kid = ", "kidd = ");
    let broken = "[clients";
    for (toml, arguments, code, path) in [
        (&*misspelt, &[][..], "CONFIG", json!("clients.bank.kidd")),
        (broken, &[], "CONFIG", Value::Null),
        ("", &[], "CONFIG", Value::Null),
        (
            &*desk.bank(),
            &["nobody"],
            "CONFIG",
            json!("clients.nobody"),
        ),
        ("", &["--config", "none.toml"], "IO", Value::Null),
    ] {
        let found = desk.json(toml, arguments);
        assert_eq!(
            (found.all.len(), found.code),
            (1, Some(1)),
            "{:?}",
            found.all
        );
        let finding = &found.all[0];
        assert_eq!(
            (&finding["check"], &finding["status"]),
            (&"config".into(), &"failed".into())
        );
        assert_eq!(
            (&finding["client"], &finding["name"]),
            (&Value::Null, &code.into())
        );
        assert_eq!(finding["config_path"], path, "{finding}");
        assert!(finding["remedy"].is_string(), "{finding}");
    }
}

#[test]
fn files_that_are_open_to_everybody_are_told() {
    let desk = Desk::new();
    desk.chmod("rsa.pem", 0o644);
    let found = desk.json(&desk.bank(), &[]);
    let files = found.get("bank", "files");
    assert_eq!(files["status"], "warning", "{files}");
    says(files, "what", "rsa.pem");
    says(files, "remedy", "0400");
    assert_eq!(found.code, Some(0), "a warning is no failure");

    desk.chmod("rsa.pem", 0o600);
    let with_pin = "[security]\nallow_pin_value = true\n".to_owned()
        + &desk
            .bank()
            .replace("file:rsa.pem", "file:rsa.pem?pin-value=0000-wrong");
    for (toml, mode, status) in [
        (&*desk.bank(), 0o644, "note"),
        (&*desk.bank(), 0o646, "warning"),
        (&*with_pin, 0o644, "warning"),
    ] {
        // The file is written with another mode, so it is read under another name.
        desk.write("open.toml", toml.as_bytes());
        desk.chmod("open.toml", mode);
        let found = desk.json("", &["--config", "open.toml", "--no-token"]);
        let files = &found.all[1];
        assert_eq!(
            (&files["check"], &files["client"]),
            (&"files".into(), &Value::Null)
        );
        assert_eq!(files["status"], status, "{files}");
    }
}
