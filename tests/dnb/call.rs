//! `segl call`: an API with a client's token, from the command line.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

use serde_json::Value;

use crate::support::{ec_key, pem};
use crate::wire::{self, Answer, Seen, Wire};

/// A bank with a token endpoint and an API on one address.
struct Bank {
    folder: tempfile::TempDir,
    server: Wire,
}

impl Bank {
    /// Whose API answers as `api` says. Every token differs.
    fn answering(api: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        let count = Mutex::new(0);
        let server = Wire::new(move |seen| match seen.target.as_str() {
            "/token" => {
                let mut count = count.lock().unwrap();
                *count += 1;
                let token = format!(
                    r#"{{"access_token":"secret-token-{count}","token_type":"Bearer","expires_in":3600}}"#
                );
                wire::json(200, &token)
            }
            _ => api(seen),
        });
        let bank = Self {
            folder: tempfile::tempdir().unwrap(),
            server,
        };
        bank.write(
            "key.pem",
            &pem(&ec_key(openssl::nid::Nid::X9_62_PRIME256V1)),
        );
        bank.configure("");
        bank
    }

    fn configure(&self, more: &str) {
        let config = format!(
            "[clients.bank]\nprofile = \"dnb\"\nclient_id = \"c\"\nkey = \"file:key.pem\"\n\
             token_endpoint = \"{}/token\"\nscopes = [\"usual\"]\n{more}\n",
            self.server.base
        );
        self.write("segl.toml", config.as_bytes());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &[u8]) {
        std::fs::write(self.path(name), content).unwrap();
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.base)
    }

    fn call_with(&self, method: &str, url: &str, more: &[&str], stdin: &[u8]) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_segl"))
            .args(["call", "bank", method, url])
            .args(more)
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that reads nothing may be gone already.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        let output = child.wait_with_output().unwrap();
        for printed in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(printed);
            assert!(!text.contains("secret-token"), "{text}");
        }
        output
    }

    fn call(&self, method: &str, path: &str, more: &[&str]) -> Output {
        self.call_with(method, &self.url(path), more, b"")
    }

    /// What came to the API.
    fn seen(&self) -> Vec<Seen> {
        let mut seen = self.server.seen();
        seen.retain(|seen| seen.target != "/token");
        seen
    }

    /// The error of a call that is refused before anything is sent.
    fn refused(&self, method: &str, url: &str, more: &[&str]) -> Value {
        let before = self.server.seen().len();
        let output = self.call_with(method, url, &[more, &["--json"]].concat(), b"");
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(self.server.seen().len(), before, "nothing was sent");
        let error: Value = serde_json::from_slice(&output.stderr).unwrap();
        error["error"].clone()
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn the_body_is_printed_as_it_came_and_the_token_is_not() {
    let bytes = [0, 0xff, b'\n', 1];
    let bank = Bank::answering(move |_| (200, Vec::new(), bytes.to_vec()));
    let output = bank.call("GET", "/accounts?from=2026-01-01", &["--log", "debug"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(output.stdout, bytes);
    let seen = &bank.seen()[0];
    assert_eq!(
        (&*seen.method, &*seen.target),
        ("GET", "/accounts?from=2026-01-01")
    );
    assert_eq!(seen.all("authorization"), ["Bearer secret-token-1"]);
    assert_eq!(seen.all("accept"), ["application/json"]);
    assert_eq!(
        seen.all("host"),
        [bank.server.base.trim_start_matches("http://")]
    );
}

#[test]
fn data_come_from_the_line_a_file_or_a_pipe_as_they_are() {
    let bank = Bank::answering(|_| wire::json(201, "{}"));
    bank.write("body.json", b"{\"a\": 1}\n");
    for (data, stdin, body) in [
        ("{\"a\":2}", &b""[..], &b"{\"a\":2}"[..]),
        ("@body.json", b"", b"{\"a\": 1}\n"),
        ("-", b"\x00\xff\n", b"\x00\xff\n"),
    ] {
        let output = bank.call_with("post", &bank.url("/x"), &["--data", data], stdin);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let seen = bank.seen().pop().unwrap();
        assert_eq!((&*seen.method, &*seen.body), ("POST", body));
        assert_eq!(seen.all("content-type"), ["application/json"]);
    }
    let plain = [
        "-d",
        "text",
        "-H",
        "content-type: text/plain",
        "-H",
        "Accept: */*",
        "-H",
        "x-a: 1",
        "-H",
        "x-a:2",
    ];
    assert!(bank.call("PUT", "/x", &plain).status.success());
    let seen = bank.seen().pop().unwrap();
    assert_eq!(seen.all("content-type"), ["text/plain"]);
    assert_eq!(seen.all("accept"), ["*/*"]);
    assert_eq!(seen.all("x-a"), ["1", "2"]);

    assert!(bank.call("DELETE", "/x", &[]).status.success());
    assert_eq!(bank.seen().pop().unwrap().method, "DELETE");
    let missing = bank.refused("POST", &bank.url("/x"), &["-d", "@none.json"]);
    assert_eq!(missing["name"], "IO");
    let both = bank.refused("POST", &bank.url("/x"), &["-d", "-", "--request", "-"]);
    assert_eq!(both["name"], "INVALID_ARGUMENT");
    let in_get = bank.refused("GET", &bank.url("/x"), &["-d", "a"]);
    assert!(
        in_get["message"].as_str().unwrap().contains("no body"),
        "{in_get}"
    );
}

#[test]
fn the_exit_code_says_whether_to_try_again_and_the_body_is_there_anyway() {
    for (status, code) in [
        (200, 0),
        (204, 0),
        (302, 1),
        (400, 1),
        (401, 1),
        (403, 1),
        (404, 1),
        (429, 3),
        (500, 3),
        (503, 3),
    ] {
        let body = format!(r#"{{"title":"answer {status}"}}"#);
        let expected = if status == 204 {
            String::new()
        } else {
            body.clone()
        };
        let bank =
            Bank::answering(move |_| wire::json(status, if status == 204 { "" } else { &body }));
        let output = bank.call("GET", "/x", &[]);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{status}: {}",
            stderr(&output)
        );
        assert_eq!(String::from_utf8(output.stdout.clone()).unwrap(), expected);
        let said = stderr(&output);
        assert_eq!(
            said.contains(&format!("HTTP {status} (answer {status})")),
            code != 0,
            "{said}"
        );
        // Once more with a new token, for a 401 only.
        assert_eq!(bank.seen().len(), if status == 401 { 2 } else { 1 });
    }
    let bank = Bank::answering(|_| wire::json(200, "{}"));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x", closed.local_addr().unwrap());
    drop(closed);
    assert_eq!(bank.call_with("GET", &url, &[], b"").status.code(), Some(3));
}

#[test]
fn the_answer_can_have_its_head_go_to_a_file_or_be_json() {
    let bank = Bank::answering(|seen| match &*seen.target {
        "/bytes" => (200, Vec::new(), vec![0xff, 0xfe]),
        _ => wire::json(404, r#"{"error":"gone"}"#),
    });
    let output = bank.call("GET", "/x", &["-i"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let (head, body) = text.split_once("\n\n").unwrap();
    assert!(head.starts_with("HTTP 404\n"), "{head}");
    assert!(head.contains("\ncontent-type: application/json"), "{head}");
    assert_eq!(body, r#"{"error":"gone"}"#);

    let output = bank.call("GET", "/x", &["--output", "answer.json"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert_eq!(
        std::fs::read(bank.path("answer.json")).unwrap(),
        br#"{"error":"gone"}"#
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(bank.path("answer.json"))
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }

    let output = bank.call("GET", "/x", &["--json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&json["status"], &json["body"]),
        (&404.into(), &r#"{"error":"gone"}"#.into())
    );
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["name"], "API_NOT_FOUND");
    let output = bank.call("GET", "/bytes", &["--json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["body_base64"], "//4=");
    assert!(json["headers"].as_array().unwrap().len() > 1, "{json}");
}

#[test]
fn the_token_is_the_one_that_was_asked_for() {
    let bank = Bank::answering(|_| wire::json(200, "{}"));
    assert!(
        bank.call("GET", "/x", &["--scope", "other:one"])
            .status
            .success()
    );
    let asked = bank.server.seen().remove(0);
    assert!(
        asked.text().ends_with("scope=other%3Aone"),
        "{}",
        asked.text()
    );
}

#[test]
fn headers_that_would_cut_or_redirect_the_request_are_refused() {
    let bank = Bank::answering(|_| wire::json(200, "{}"));
    let url = bank.url("/x");
    for header in [
        "Authorization: Bearer other",
        "authorization: x",
        "DPoP: x",
        "Host: evil.example",
        "Content-Length: 1",
        "Transfer-Encoding: chunked",
        "Connection: upgrade",
        "Proxy-Authorization: x",
        "x-a: 1\r\nx-b: hidden-value",
        "x-a: 1\nHost: hidden-value",
        "x\r\ny: hidden-value",
        "x a: hidden-value",
        ": hidden-value",
        "hidden-value",
        "x-a: hidden-value-\u{e6}",
    ] {
        let error = bank.refused("GET", &url, &["-H", header]);
        assert_eq!(error["name"], "INVALID_ARGUMENT", "{header}: {error}");
        assert!(!error.to_string().contains("hidden-value"), "{error}");
    }
}

#[test]
fn the_token_goes_nowhere_it_should_not() {
    let bank = Bank::answering(|_| wire::json(200, "{}"));
    for url in [
        "http://api.example/x",
        "ftp://api.example/x",
        "https://user:pass@api.example/x",
        "https://api.example/x#part",
        "api.example/x",
    ] {
        assert_eq!(bank.refused("GET", url, &[])["name"], "URL", "{url}");
    }
    assert_eq!(
        bank.refused("TRACE", &bank.url("/x"), &[])["name"],
        "INVALID_ARGUMENT"
    );

    bank.configure(&format!(
        "apis = [\"{}/v1/\", \"https://api.example\"]",
        bank.server.base
    ));
    for path in ["/v1", "/v1/x", "/v1/x?y=/../z"] {
        assert!(bank.call("GET", path, &[]).status.success(), "{path}");
    }
    for url in [
        bank.url("/"),
        bank.url("/v10/x"),
        bank.url("/v1/../x"),
        bank.url("/v1/%2e%2e/x"),
        bank.server.base.replace("127.0.0.1", "localhost") + "/v1/x",
        "https://api.example.evil.example/x".to_owned(),
        "https://api.example:8443/x".to_owned(),
    ] {
        let error = bank.refused("GET", &url, &[]);
        assert_eq!(error["name"], "API_NOT_ALLOWED", "{url}: {error}");
        assert_eq!(error["config_path"], "apis");
    }
    bank.configure("apis = [\"http://api.example\"]");
    let error = bank.refused("GET", "https://api.example/x", &[]);
    assert_eq!(error["config_path"], "clients.bank.apis[0]", "{error}");
}

#[test]
fn a_larger_answer_is_wanted_or_not() {
    let bank = Bank::answering(|_| (200, Vec::new(), vec![b'a'; 2 * 1024 * 1024]));
    let output = bank.call("GET", "/x", &[]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert!(
        stderr(&output).contains("RESPONSE_TOO_LARGE"),
        "{}",
        stderr(&output)
    );
    let output = bank.call("GET", "/x", &["--max-size", "3000000"]);
    assert_eq!(output.stdout.len(), 2 * 1024 * 1024);
    bank.configure("max_response_bytes = 3000000");
    assert!(bank.call("GET", "/x", &[]).status.success());
    assert!(
        !bank
            .call("GET", "/x", &["--max-size", "1000"])
            .status
            .success()
    );
}

#[test]
fn the_time_limit_holds_for_the_whole_call() {
    let bank = Bank::answering(|_| {
        std::thread::sleep(std::time::Duration::from_secs(20));
        wire::json(200, "{}")
    });
    let output = bank.call("GET", "/x", &["--timeout", "1"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("TIMEOUT"), "{}", stderr(&output));
}

/// A server may answer with what a terminal takes for commands; U+009B is one as well.
#[test]
#[cfg(unix)]
fn a_terminal_is_sent_no_commands_of_the_server() {
    let hostile = "a\u{1b}[2J\u{9b}2J\r\u{7}\tb\n\u{e6}";
    let header = "\u{9b}2J\u{e6}";
    let bank = Bank::answering(move |_| {
        let headers = vec![("X-A", header.to_owned())];
        (200, headers, hostile.as_bytes().to_vec())
    });
    let piped = bank.call("GET", "/x", &[]);
    assert_eq!(piped.stdout, hostile.as_bytes(), "as it came");
    let with_head = String::from_utf8(bank.call("GET", "/x", &["--include"]).stdout).unwrap();
    assert!(with_head.contains("x-a: \\u{9b}2J\u{e6}\n"), "{with_head}");

    let json = String::from_utf8(bank.call("GET", "/x", &["--json"]).stdout).unwrap();
    assert!(
        !json.contains(|c: char| c.is_control() && c != '\n'),
        "{json:?}"
    );
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["body"], hostile);

    let command = format!(
        "{} call bank GET {}",
        env!("CARGO_BIN_EXE_segl"),
        bank.url("/x")
    );
    let terminal = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .current_dir(bank.folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("script, of util-linux");
    let shown = String::from_utf8(terminal.stdout).unwrap();
    assert!(
        shown.contains("a\\u{1b}[2J\\u{9b}2J\\u{d}\\u{7}\tb\r\n\u{e6}"),
        "{shown:?}"
    );
}

/// The disk is full before the answer is whole.
#[test]
#[cfg(unix)]
fn a_file_is_replaced_by_a_whole_one_or_stays() {
    use std::os::unix::fs::PermissionsExt;

    let bank = Bank::answering(|_| (200, Vec::new(), vec![b'a'; 100_000]));
    bank.write("answer", b"of yesterday");
    let files = || std::fs::read_dir(bank.folder.path()).unwrap().count();
    let before = files();
    for name in ["answer", "new"] {
        let command = format!(
            "trap '' XFSZ; ulimit -f 8; exec {} call bank GET {} --output {name}",
            env!("CARGO_BIN_EXE_segl"),
            bank.url("/x"),
        );
        let output = Command::new("sh")
            .args(["-c", &command])
            .current_dir(bank.folder.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert!(stderr(&output).contains(&format!("{name} cannot be written")));
    }
    assert_eq!(files(), before);
    assert_eq!(std::fs::read(bank.path("answer")).unwrap(), b"of yesterday");

    // Others could read the old one; a link goes on leading to the file.
    std::fs::set_permissions(bank.path("answer"), PermissionsExt::from_mode(0o644)).unwrap();
    std::os::unix::fs::symlink("answer", bank.path("link")).unwrap();
    assert!(bank.call("GET", "/x", &["-o", "link"]).status.success());
    assert!(bank.path("link").is_symlink());
    let written = std::fs::metadata(bank.path("answer")).unwrap();
    assert_eq!(
        (written.len(), written.permissions().mode() & 0o777),
        (100_000, 0o600)
    );
    let printed = bank.call("GET", "/x", &["-o", "/dev/stdout"]);
    assert_eq!(printed.stdout.len(), 100_000, "{}", stderr(&printed));
    assert!(
        bank.call("GET", "/x", &["-o", "/dev/null"])
            .status
            .success()
    );
}

/// What a query asks for may be somebody's account number.
#[test]
fn no_message_has_the_query() {
    let bank = Bank::answering(|_| wire::json(404, "{}"));
    bank.configure(&format!("apis = [\"{}/v1/\"]", bank.server.base));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let elsewhere = closed.local_addr().unwrap();
    drop(closed);
    for url in [
        bank.url("/v1/x?account=12345678903"),
        bank.url("/v2/x?account=12345678903"),
        "http://api.example/x?account=12345678903".to_owned(),
        "ftp://api.example/x?account=12345678903".to_owned(),
        "https://api.example/x?account=12345678903#a".to_owned(),
    ] {
        let output = bank.call_with("GET", &url, &["--log", "debug"], b"");
        assert_eq!(output.status.code(), Some(1), "{url}");
        let said = stderr(&output);
        assert!(!said.contains("12345678903"), "{said}");
        assert!(said.contains("/x"), "{said}");
    }
    bank.configure("");
    let url = format!("http://{elsewhere}/x?account=12345678903");
    let output = bank.call_with("GET", &url, &[], b"");
    assert_eq!(output.status.code(), Some(3));
    assert!(
        !stderr(&output).contains("12345678903"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_url_is_sent_as_browsers_would_send_it() {
    let bank = Bank::answering(|_| wire::json(200, "{}"));
    for (url, target) in [
        ("/a b?c=d e", "/a%20b?c=d%20e"),
        ("/\u{e6}?\u{f8}", "/%C3%A6?%C3%B8"),
        ("/a\"b?c=\"", "/a%22b?c=%22"),
        ("/a\r\nX-A: b", "/aX-A:%20b"),
    ] {
        let output = bank.call("GET", url, &[]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(bank.seen().pop().unwrap().target, target);
    }
    bank.configure("apis = [\"https://b\u{fc}cher.example/\"]");
    let refused = bank.refused("GET", "https://bucher.example/", &[]);
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.contains("to https://xn--bcher-kva.example/ "),
        "{message}"
    );
}
